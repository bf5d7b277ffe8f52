#include "exporter/app/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace wk::exporter {

std::string json_line(const Json& document) {
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Response json_response(const Json& document, int status, int indent) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = document.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
  response.headers = {{"Cache-Control", "no-store"}};
  return response;
}

Response json_error(int status, std::string_view message) {
  return json_response({{"error", message}}, status);
}

std::string rfc3339(std::chrono::system_clock::time_point time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::milliseconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

Json json_time(const std::optional<Moment>& moment) {
  return moment ? Json(rfc3339(moment->wall)) : Json(nullptr);
}

Json json_age(const std::optional<Moment>& moment, Moment now) {
  return moment ? Json(std::max(0.0, seconds(now - *moment))) : Json(nullptr);
}

Json json_number(double number) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (std::trunc(number) == number && std::abs(number) < kExact) return static_cast<std::int64_t>(number);
  return number;
}

Json json_number(const std::optional<double>& number) {
  return number ? json_number(*number) : Json(nullptr);
}

Json json_id(const std::optional<ServerId>& id) {
  return id ? Json(std::to_string(id->value)) : Json(nullptr);
}

Json json_zxid(const std::optional<Zxid>& zxid) { return zxid ? Json(zxid->to_string()) : Json(nullptr); }

}  // namespace wk::exporter
