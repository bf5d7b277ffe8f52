// Where the bytes go that a start leaves out by the operator's order: beside the rest, under names that
// nobody reads as data. Nothing is ever written over there.
//
// Thread: disk, or the one that starts the server.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "server/storage/file_system.h"

namespace wk::storage {

/// The flag of watchkeeperd that is the operator's order to start although transactions are lost.
inline constexpr std::string_view kAcceptLossFlag = "--accept-loss";
/// What begins the name of a file that was set aside.
inline constexpr std::string_view kLostPrefix = "lost.";

/// For a message: "transactions 0x5 to 0x8 are missing".
std::string missing_text(Zxid first, Zxid last);

/// "lost.<name>", or "lost.<name>.2" and so on when that is taken.
Result<std::string> free_lost_name(FileSystem& files, const std::string& directory, std::string_view name);

/// Renames the file to its free_lost_name(), durably. \return  the new name
Result<std::string> set_aside(FileSystem& files, const std::string& directory, const std::string& name);

}  // namespace wk::storage
