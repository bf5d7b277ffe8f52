#include "jute/views.h"

namespace wk::jute {

void write(Writer& out, std::string_view value) { out.write_string(value); }
void write(Writer& out, const std::optional<std::string_view>& value) { out.write_string(value); }

void read(Reader& in, std::optional<std::string_view>& value) { value = in.read_string_view(); }
void read(Reader& in, std::string_view& value) {
  const auto maybe = in.read_string_view();
  if (maybe)
    value = *maybe;
  else
    in.fail(Errc::kInvalidInput, "null where a string must be");
}

}  // namespace wk::jute
