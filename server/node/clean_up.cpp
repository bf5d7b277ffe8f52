#include "server/node/clean_up.h"

#include "server/node/settings.h"
#include "server/storage/data_directories.h"

namespace wk::node {

Result<storage::PurgeReport> clean_up(storage::FileSystem& files, const config::Config& config,
                                      std::size_t retain) {
  const config::Storage& folders = config.storage;
  return storage::purge(files, storage::version_folder(folders.data_dir),
                        storage::version_folder(folders.data_log_dir), retain, stored_bytes_max(config));
}

}  // namespace wk::node
