#include "jute/records.h"

namespace wk::jute {

void write(Writer& out, std::int32_t value) { out.write_int(value); }
void write(Writer& out, std::int64_t value) { out.write_long(value); }
void write(Writer& out, bool value) { out.write_bool(value); }
void write(Writer& out, Zxid value) { out.write_long(static_cast<std::int64_t>(value.value)); }
void write(Writer& out, SessionId value) { out.write_long(value.value); }
void write(Writer& out, const std::string& value) { out.write_string(value); }
void write(Writer& out, const std::optional<std::string>& value) { out.write_string(value); }
void write(Writer& out, const std::optional<bool>& value) {
  if (value) out.write_bool(*value);
}

void read(Reader& in, std::int32_t& value) { value = in.read_int(); }
void read(Reader& in, std::int64_t& value) { value = in.read_long(); }
void read(Reader& in, bool& value) { value = in.read_bool(); }
void read(Reader& in, Zxid& value) { value.value = static_cast<std::uint64_t>(in.read_long()); }
void read(Reader& in, SessionId& value) { value.value = in.read_long(); }
void read(Reader& in, std::optional<std::string>& value) { value = in.read_string(); }
void read(Reader& in, std::optional<bool>& value) {
  value.reset();
  if (in.ok() && in.remaining() > 0) value = in.read_bool();
}
void read(Reader& in, std::string& value) {
  auto maybe = in.read_string();
  if (maybe)
    value = *std::move(maybe);
  else
    in.fail(Errc::kInvalidInput, "null where a string must be");
}

namespace {

constexpr MultiHeader kClosingHeader{OpCode::kError, true, ErrorCode::kSystemError};

template <typename T>
void read_operation(Reader& in, MultiOperation& operation) {
  read(in, operation.request.emplace<T>());
}

void read_operation(Reader& in, MultiOperation& operation) {
  switch (operation.op) {
    case OpCode::kCheck:
      return read_operation<CheckVersionRequest>(in, operation);
    case OpCode::kCreate:
    case OpCode::kCreate2:
    case OpCode::kCreateContainer:
      return read_operation<CreateRequest>(in, operation);
    case OpCode::kCreateTtl:
      return read_operation<CreateTtlRequest>(in, operation);
    case OpCode::kDelete:
      return read_operation<DeleteRequest>(in, operation);
    case OpCode::kSetData:
      return read_operation<SetDataRequest>(in, operation);
    default:
      in.fail(Errc::kInvalidInput, "operation that a multi cannot hold");
  }
}

void read_result(Reader& in, MultiResult& result) {
  switch (result.op) {
    case OpCode::kCreate:
      return read(in, result.path);
    case OpCode::kCreate2:
      read(in, result.path);
      return read(in, result.stat);
    case OpCode::kSetData:
      return read(in, result.stat);
    case OpCode::kDelete:
    case OpCode::kCheck:
      return;
    case OpCode::kError:
      return read(in, result.error);
    default:
      in.fail(Errc::kInvalidInput, "result that a multi cannot hold");
  }
}

void write_result(Writer& out, const MultiResult& result) {
  switch (result.op) {
    case OpCode::kCreate:
      return write(out, result.path);
    case OpCode::kCreate2:
      write(out, result.path);
      return write(out, result.stat);
    case OpCode::kSetData:
      return write(out, result.stat);
    case OpCode::kError:
      return write(out, result.error);
    default:
      return;
  }
}

}  // namespace

void write(Writer& out, const MultiRequest& value) {
  for (const MultiOperation& operation : value.operations) {
    write(out, MultiHeader{operation.op, false, ErrorCode::kSystemError});
    std::visit([&](const auto& request) { write(out, request); }, operation.request);
  }
  write(out, kClosingHeader);
}

void read(Reader& in, MultiRequest& value) {
  value.operations.clear();
  while (in.ok()) {
    MultiHeader header;
    read(in, header);
    if (header.done || !in.ok()) return;
    MultiOperation& operation = value.operations.emplace_back();
    operation.op = header.op;
    read_operation(in, operation);
  }
}

void write(Writer& out, const MultiResponse& value) {
  for (const MultiResult& result : value.results) {
    write(out, MultiHeader{result.op, false, result.error});
    write_result(out, result);
  }
  write(out, kClosingHeader);
}

void read(Reader& in, MultiResponse& value) {
  value.results.clear();
  while (in.ok()) {
    MultiHeader header;
    read(in, header);
    if (header.done || !in.ok()) return;
    MultiResult& result = value.results.emplace_back();
    result.op = header.op;
    result.error = header.error;
    read_result(in, result);
  }
}

}  // namespace wk::jute
