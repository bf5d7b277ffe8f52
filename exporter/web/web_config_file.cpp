#include "exporter/web/web_config_file.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

namespace wk::exporter {
namespace {

bool requires_client_certificate(const WebConfig& config) {
  return config.tls && (config.tls->client_auth == ClientAuth::kRequireAnyClientCert ||
                        config.tls->client_auth == ClientAuth::kRequireAndVerifyClientCert);
}

}  // namespace

Result<std::shared_ptr<const ActiveWebConfig>> load_active_web_config(const std::filesystem::path& path) {
  auto config = load_web_config(path);
  if (!config) return config.error();
  auto active = std::make_shared<ActiveWebConfig>();
  active->config = std::move(*config);
  if (active->config.tls) {
    auto tls = TlsContext::make(*active->config.tls, path.string());
    if (!tls) return tls.error();
    active->tls = *tls;
  }
  return std::shared_ptr<const ActiveWebConfig>(std::move(active));
}

Result<std::unique_ptr<WebConfigFile>> WebConfigFile::open(std::filesystem::path path, TimePoint now) {
  std::unique_ptr<WebConfigFile> file(new WebConfigFile(std::move(path)));
  // Stamps are taken before reading: a change in between is then seen as a change, not missed.
  const Stamp before = stamp_of(file->path_);
  auto loaded = load_active_web_config(file->path_);
  if (!loaded) return loaded.error();
  file->active_ = *loaded;
  file->stamps_ = stamps_of(file->active_->config.files);
  file->stamps_.front() = before;
  file->next_check_ = now + kCheckInterval;
  for (const std::string& warning : file->active_->config.warnings) spdlog::warn("{}", warning);
  return file;
}

std::shared_ptr<const ActiveWebConfig> WebConfigFile::current(TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (now >= next_check_) {
    next_check_ = now + kCheckInterval;
    std::vector<Stamp> stamps = stamps_of(active_->config.files);
    const bool changed = stamps != stamps_;
    if (changed) fault_.clear();
    if (changed || (!fault_.empty() && now >= next_retry_)) {
      stamps_ = std::move(stamps);
      next_retry_ = now + kRetryInterval;
      reload();
    }
  }
  return active_;
}

WebConfigReloads WebConfigFile::reloads() const {
  const std::lock_guard lock(mutex_);
  return reloads_;
}

void WebConfigFile::reload() {
  auto loaded = load_active_web_config(path_);
  std::string fault;
  if (!loaded) {
    fault = loaded.error().message;
  } else if (((*loaded)->tls == nullptr) != (active_->tls == nullptr)) {
    fault = fmt::format("{}: TLS was turned {}; that takes a restart", path_.string(),
                        (*loaded)->tls == nullptr ? "off" : "on");
  } else if ((*loaded)->config.users.empty() && !active_->config.users.empty()) {
    fault = fmt::format("{}: all of basic_auth_users are gone; turning authentication off takes a restart",
                        path_.string());
  } else if (requires_client_certificate(active_->config) &&
             !requires_client_certificate((*loaded)->config)) {
    fault = fmt::format("{}: client certificates are not required any more; turning that off takes a restart",
                        path_.string());
  }
  const bool news = fault != fault_;
  fault_ = fault;
  if (!fault.empty()) {
    if (!news) return;
    ++reloads_.failed;
    spdlog::error("web configuration not reloaded, the previous one stays in force: {}", fault);
    return;
  }
  ++reloads_.succeeded;
  const bool same_files = (*loaded)->config.files == active_->config.files;
  active_ = *loaded;
  if (!same_files) stamps_ = stamps_of(active_->config.files);
  for (const std::string& warning : active_->config.warnings) spdlog::warn("{}", warning);
  spdlog::info("web configuration {} reloaded", path_.string());
}

WebConfigFile::Stamp WebConfigFile::stamp_of(const std::filesystem::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {};
  return {status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_size, status.st_ino};
}

std::vector<WebConfigFile::Stamp> WebConfigFile::stamps_of(const std::vector<std::filesystem::path>& files) {
  std::vector<Stamp> stamps;
  stamps.reserve(files.size());
  for (const auto& file : files) stamps.push_back(stamp_of(file));
  return stamps;
}

}  // namespace wk::exporter
