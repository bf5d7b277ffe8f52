#include "bench/load/requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "bench/load/frames.h"
#include "jute/codes.h"
#include "jute/records.h"

namespace wk::bench {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kKeyDigits = 7;
constexpr std::size_t kCounterDigits = 10;

void put_digits(std::byte* at, std::size_t digits, std::uint64_t number) {
  for (std::size_t i = digits; i-- > 0; number /= 10) at[i] = static_cast<std::byte>('0' + number % 10);
}

}  // namespace

std::uint64_t FastRandom::below(std::uint64_t bound) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<Wide>((*this)()) * bound >> 64U);
}

double FastRandom::share() { return static_cast<double>((*this)() >> 11U) * 0x1.0p-53; }

std::string key_path(const std::string& root, std::size_t key) {
  return fmt::format("{}/k{:0{}}", root, key, kKeyDigits);
}

std::string parent_path(const std::string& root, std::size_t connection) {
  return fmt::format("{}/c{:05}", root, connection);
}

RequestMaker::RequestMaker(const Plan& plan, std::size_t connection, std::uint32_t run) : keys_(plan.keys) {
  for (std::size_t i = 0; i < templates_.size(); ++i) {
    templates_.at(i) = make(static_cast<Operation>(i), plan, connection, run);
  }
}

RequestMaker::Template RequestMaker::make(Operation operation, const Plan& plan, std::size_t connection,
                                          std::uint32_t run) const {
  const bool counted = operation == Operation::kCreate || operation == Operation::kDelete;
  const std::string path =
      counted ? fmt::format("{}/{:08x}-{:0{}}", parent_path(plan.root, connection), run, 0, kCounterDigits)
              : key_path(plan.root, 0);
  Template made;
  made.digits = operation == Operation::kSync ? 0 : counted ? kCounterDigits : kKeyDigits;
  const std::string data(plan.data_bytes, 'x');
  const auto add = [&](jute::OpCode op, const auto& record) { append_request(made.frame, 0, op, record); };
  switch (operation) {
    case Operation::kGet:
      add(jute::OpCode::kGetData, jute::ReadRequest{path, false});
      break;
    case Operation::kExists:
      add(jute::OpCode::kExists, jute::ReadRequest{path, false});
      break;
    case Operation::kSet:
      add(jute::OpCode::kSetData, jute::SetDataRequest{path, data, -1});
      break;
    case Operation::kCreate:
      add(jute::OpCode::kCreate, jute::CreateRequest{path, data, open_acl(), jute::CreateMode::kPersistent});
      break;
    case Operation::kDelete:
      add(jute::OpCode::kDelete, jute::DeleteRequest{path, -1});
      break;
    case Operation::kSync:
      add(jute::OpCode::kSync, jute::SyncRecord{path});
      break;
  }
  // The path is the first field behind the header: xid, operation, length of the path.
  made.digits_at = kLengthBytes + 12 + path.size() - made.digits;
  return made;
}

Operation RequestMaker::append(Operation wanted, std::int32_t xid, FastRandom& random,
                               std::vector<std::byte>& output) {
  if (wanted == Operation::kDelete && deleted_ == created_) wanted = Operation::kCreate;
  const Template& chosen = templates_.at(static_cast<std::size_t>(wanted));
  const std::size_t begin = output.size();
  output.insert(output.end(), chosen.frame.begin(), chosen.frame.end());
  put_big_endian(output.data() + begin + kLengthBytes, static_cast<std::uint32_t>(xid));
  if (chosen.digits > 0) {
    const std::uint64_t number = wanted == Operation::kCreate   ? created_++
                                 : wanted == Operation::kDelete ? deleted_++
                                                                : random.below(keys_);
    put_digits(output.data() + begin + chosen.digits_at, chosen.digits, number);
  }
  return wanted;
}

Chooser::Chooser(const Mix& mix) {
  double sum = 0;
  std::size_t used = 0;
  for (std::size_t i = 0; i < mix.size(); ++i) {
    sum += mix.at(i);
    cumulative_.at(i) = sum;
    if (mix.at(i) > 0) {
      only_ = static_cast<Operation>(i);
      ++used;
    }
  }
  for (double& bound : cumulative_) bound /= sum;
  single_ = used == 1;
}

Operation Chooser::choose(FastRandom& random) const {
  if (single_) return only_;
  const double share = random.share();
  const auto* const found =
      std::find_if(cumulative_.begin(), cumulative_.end(), [share](double bound) { return share < bound; });
  return found == cumulative_.end() ? only_ : static_cast<Operation>(found - cumulative_.begin());
}

}  // namespace wk::bench
