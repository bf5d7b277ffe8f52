#include "server/storage/transaction_log.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "server/storage/file_names.h"
#include "server/storage/log_reader.h"

namespace wk::storage {

TransactionLog::TransactionLog(FileSystem& files, std::string directory, Zxid last,
                               TransactionLogSettings settings)
    : files_(files),
      directory_(std::move(directory)),
      settings_(settings),
      last_(last),
      written_(last),
      synced_(last) {}

TransactionLog::~TransactionLog() = default;

Error TransactionLog::fail(Error error) {
  if (error.code == Errc::kNoSpace)
    error.code = Errc::kIo;  // nobody may take a final error for a passing one
  failure_ = error;
  return error;
}

Result<void> TransactionLog::append(Zxid zxid, std::span<const std::byte> payload) {
  if (failure_) return *failure_;
  WK_CHECK(payload.size() >= kTxnHeaderBytes && zxid_of_payload(payload) == zxid,
           "the payload does not begin with the header of its transaction");
  WK_CHECK(zxid > last_ && (zxid.value == last_.value + 1 || zxid.epoch() != last_.epoch()),
           fmt::format("transaction {} would follow {} in the log", zxid.to_string(), last_.to_string()));
  const std::size_t record = kRecordOverheadBytes + payload.size();
  if (!gathered_.empty() && gathered_.size() + record > kGatheredBytesMax)
    if (const auto written = write_gathered(); !written) return written.error();
  if (end_ > synced_end_ && end_ - synced_end_ + gathered_.size() + record > kUnsyncedBytesMax) {
    if (const auto synced = write_and_sync(); !synced) return synced.error();
    ++stats_.forced_syncs;
  }
  if (gathered_.empty()) gathered_first_ = zxid;
  append_log_record(gathered_, payload);
  last_ = zxid;
  ++stats_.appends;
  stats_.payload_bytes += payload.size();
  return {};
}

/// The name is free, or belongs to a file that holds no transaction, as a crash leaves one. Anything else
/// means that the caller's zxid is not the log's, and creating the file would destroy transactions.
Result<void> TransactionLog::refuse_to_overwrite(Zxid first) {
  const auto exists = files_.exists(path_);
  if (!exists) return exists.error();
  if (!*exists) return {};
  auto reader = LogReader::open_file(files_, directory_, log_name(first),
                                     {.payload_bytes_max = settings_.payload_bytes_max});
  if (!reader) return reader.error();
  const auto record = reader->next();
  if (!record) return record.error();
  if (!*record) return {};
  return Error{
      Errc::kInvalidInput,
      fmt::format("{} exists and holds transactions, although {} is still to come; it is not overwritten",
                  path_, first.to_string())};
}

Result<void> TransactionLog::create_file(Zxid first) {
  path_ = join(directory_, log_name(first));
  if (const auto free = refuse_to_overwrite(first); !free)
    return free.error().code == Errc::kNoSpace ? free.error() : fail(free.error());
  auto created = files_.create(path_);
  if (!created) return created.error().code == Errc::kNoSpace ? created.error() : fail(created.error());
  std::vector<std::byte> header;
  append_log_header(header);
  end_ = synced_end_ = padded_ = header.size();
  auto prepared = (*created)->write_at(0, header);
  if (prepared) {
    padded_ = padded_log_size(end_, padded_, settings_.preallocation_bytes);
    prepared = (*created)->set_size(padded_);
  }
  const auto give_back = [&]() -> Result<void> {
    // A reader knows an empty last file for what it is; removing it is only tidiness.
    created->reset();
    [[maybe_unused]] const auto removed = files_.remove(path_);
    return prepared.error();
  };
  if (!prepared && prepared.error().code == Errc::kNoSpace) return give_back();
  if (prepared && settings_.force_sync) prepared = (*created)->sync();
  if (!prepared) return fail(prepared.error());
  if (settings_.force_sync) prepared = files_.sync_directory(directory_);
  // The folder could not be opened, so that nothing was synced: another attempt does not lie.
  if (!prepared && prepared.error().code == Errc::kNoSpace) return give_back();
  if (!prepared) return fail(prepared.error());
  open_ = std::move(*created);
  ++stats_.files_created;
  return {};
}

Result<void> TransactionLog::write_gathered() {
  if (gathered_.empty()) return {};
  const bool fresh = !open_;  // and padded already
  if (fresh) {
    const auto created = create_file(gathered_first_);
    if (!created) {
      if (!failure_) ++stats_.no_space;
      return created.error();
    }
  }
  Result<void> written{};
  const std::uint64_t padded =
      fresh ? padded_ : padded_log_size(end_, padded_, settings_.preallocation_bytes);
  if (padded != padded_) written = open_->set_size(padded);
  if (written) {
    padded_ = padded;
    written = open_->write_at(end_, gathered_);
  }
  if (!written) return cut_back(written.error());
  end_ += gathered_.size();
  written_ = last_;
  gathered_.clear();
  ++stats_.writes;
  return {};
}

/// After a write that failed: removes what was written of the gathered records, so that the file ends with a
/// whole one, and makes that durable. Only a full disk can be lived with.
Result<void> TransactionLog::cut_back(Error cause) {
  if (cause.code != Errc::kNoSpace) return fail(std::move(cause));
  ++stats_.no_space;
  if (const auto cut = open_->set_size(end_); !cut) return fail(cut.error());
  padded_ = end_;
  if (const auto synced = sync_file(); !synced) return synced.error();
  return cause;
}

Result<void> TransactionLog::sync_file() {
  if (settings_.force_sync) {
    const auto start = std::chrono::steady_clock::now();
    if (auto synced = open_->sync(); !synced) {
      Error error = synced.error();
      error.code = Errc::kIo;  // even "no space" is final here: what could not be written is gone
      return fail(std::move(error));
    }
    stats_.last_sync = std::chrono::steady_clock::now() - start;
    ++stats_.syncs;
  }
  synced_ = written_;
  synced_end_ = end_;
  return {};
}

Result<void> TransactionLog::write_and_sync() {
  if (const auto written = write_gathered(); !written) return written.error();
  if (written_ == synced_) return {};
  return sync_file();
}

Result<void> TransactionLog::write() {
  if (failure_) return *failure_;
  return write_gathered();
}

Result<void> TransactionLog::sync() {
  if (failure_) return *failure_;
  if (const auto synced = write_and_sync(); !synced) return synced.error();
  if (open_ && settings_.file_bytes_max && file_bytes() >= *settings_.file_bytes_max) close_file();
  return {};
}

Result<void> TransactionLog::roll() {
  if (const auto synced = sync(); !synced) return synced.error();
  if (open_) close_file();
  return {};
}

void TransactionLog::abandon_unsynced() {
  WK_CHECK(failure_ || written_ == synced_, "append() and sync() leave nothing unsynced in the file");
  gathered_.clear();
  last_ = synced_;
}

void TransactionLog::close_file() {
  open_.reset();
  end_ = synced_end_ = padded_ = 0;
}

}  // namespace wk::storage
