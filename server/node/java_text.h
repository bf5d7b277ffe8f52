// Numbers and dates as Java prints them, for answers that other tools parse.
//
// Thread: any; pure (dates use the process's time zone).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace wk::node {

/// Double.toString: "0.0", "3.875", "1.0E-4", "1.23456789E8".
std::string java_double(double value);

/// The mean rounded half up to four decimals, as Apache's AvgMinMaxCounter does, and then java_double()
/// without exponents: "0.0", "3.875", "0.0001". Differs: Java prints values below 0.001 with an exponent,
/// which parsers of `srvr` do not read.
std::string rounded_mean(double value);

/// The mean rounded as above, as a number.
double round_to_four_decimals(double value);

/// Date.toString: "Sun Nov 22 05:36:20 UTC 2026", in the process's time zone.
std::string java_date(std::chrono::system_clock::time_point time);

/// Long.toHexString: lower case, no leading zeros, two's complement.
std::string java_hex(std::int64_t value);

}  // namespace wk::node
