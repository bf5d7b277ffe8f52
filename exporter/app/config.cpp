#include "exporter/app/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "base/log.h"
#include "base/near_miss.h"
#include "base/text.h"
#include "exporter/app/target_defaults.h"
#include "exporter/app/text_file.h"
#include "exporter/app/value_rules.h"
#include "exporter/app/yaml_value.h"

namespace wk::exporter {
namespace {

constexpr std::array<std::string_view, 4> kRootKeys{"ensembles", "listen_address", "families", "probe"};
constexpr std::array<std::string_view, 11> kEnsembleKeys{
    "name", "members",    "interval",          "detail_interval", "timeout",  "canary",
    "tls",  "admin_port", "admin_command_url", "prometheus_port", "http_auth"};
constexpr std::array<std::string_view, 6> kMemberKeys{"address",        "timeout", "admin_url",
                                                      "prometheus_url", "tls",     "http_auth"};
constexpr std::array<std::string_view, 4> kCanaryKeys{"mode", "path", "auth", "auth_file"};
constexpr std::array<std::string_view, 5> kTlsKeys{"ca_file", "cert_file", "key_file", "server_name",
                                                   "insecure_skip_verify"};
constexpr std::array<std::string_view, 3> kHttpAuthKeys{"username", "password", "password_file"};

class ConfigParser {
 public:
  ConfigParser(const std::string& file, const ConfigFiles& files)
      : directory_(std::filesystem::path(file).parent_path()), files_(files) {}

  Config parse(const YamlValue& root) const {
    Config config;
    const YamlMap map = root.map(kRootKeys);
    const auto ensembles = map.find("ensembles");
    if (!ensembles)
      root.fail("key \"ensembles\" is missing; write a list with a name and members for each ensemble");
    std::set<std::string> names;
    for (const YamlValue& item : ensembles->list(kEnsembleLimit)) {
      const YamlMap ensemble = item.map(kEnsembleKeys);
      config.ensembles.push_back(parse_ensemble(item, ensemble));
      const std::string& name = config.ensembles.back().name;
      if (names.insert(name).second) continue;
      ensemble.find("name").value_or(item).fail(
          fmt::format("another ensemble is called \"{}\", too; give each one a name of its own", name));
    }
    config.settings = parse_settings(map);
    return config;
  }

 private:
  [[nodiscard]] static Settings parse_settings(const YamlMap& map) {
    Settings settings;
    if (const auto value = map.find("listen_address")) {
      if (value->is_scalar())
        settings.listen_addresses.push_back(value->as(parse_listen_address));
      else
        for (const YamlValue& item : value->list(kListenAddressLimit)) {
          const ListenAddress address = item.as(parse_listen_address);
          if (std::ranges::find(settings.listen_addresses, address) != settings.listen_addresses.end())
            item.fail(fmt::format("\"{}\" is listed twice; write each address once", address.to_string()));
          settings.listen_addresses.push_back(address);
        }
    }
    if (const auto value = map.find("families")) {
      settings.families = {false, false, false};
      for (const YamlValue& item : value->list(kFamilyNames.size())) {
        const std::string family = item.text();
        if (family == "native")
          settings.families.native = true;
        else if (family == "zk")
          settings.families.zk = true;
        else if (family == "zookeeper39")
          settings.families.zookeeper39 = true;
        else
          item.fail(fmt::format("\"{}\" is no metric family; write {}{}", printable(family, 40),
                                fmt::join(kFamilyNames, ", "), did_you_mean(family, kFamilyNames)));
      }
    }
    if (const auto value = map.find("probe")) settings.probe = value->as(parse_probe_policy);
    return settings;
  }

  [[nodiscard]] EnsembleSpec parse_ensemble(const YamlValue& item, const YamlMap& map) const {
    EnsembleSpec spec;
    if (const auto value = map.find("name")) spec.name = value->as(parse_ensemble_name);
    if (const auto value = map.find("interval")) spec.interval = value->as(parse_interval);
    spec.detail_interval = std::max(spec.detail_interval, spec.interval);
    if (const auto value = map.find("detail_interval")) {
      spec.detail_interval = value->as(parse_detail_interval);
      if (spec.detail_interval < spec.interval)
        value->fail(fmt::format("is shorter than the interval; write at least {}ms", spec.interval.count()));
    }
    if (const auto value = map.find("canary")) parse_canary(*value, spec);

    TargetDefaults defaults;
    if (const auto value = map.find("timeout")) defaults.timeout = value->as(parse_timeout);
    if (const auto value = map.find("tls")) defaults.tls = parse_tls(*value);
    if (const auto value = map.find("admin_port")) defaults.admin_port = value->as(parse_port);
    if (const auto value = map.find("admin_command_url")) {
      defaults.admin_command_url = value->as(parse_url_path);
      if (!defaults.admin_port) value->fail("has no meaning without admin_port; write admin_port, too");
    }
    if (const auto value = map.find("prometheus_port")) defaults.prometheus_port = value->as(parse_port);
    if (const auto value = map.find("http_auth")) defaults.http_auth = parse_http_auth(*value);

    const auto members = map.find("members");
    if (!members)
      item.fail("key \"members\" is missing; write for example members: [zk1:2181, zk2:2181, zk3:2181]");
    std::set<std::string> names;
    for (const YamlValue& member : members->list(kMemberLimit)) {
      spec.members.push_back(parse_member(member, defaults));
      if (!names.insert(spec.members.back().name).second)
        member.fail(fmt::format("\"{}\" is listed twice; write each member once", spec.members.back().name));
    }
    return spec;
  }

  [[nodiscard]] TargetSpec parse_member(const YamlValue& item, const TargetDefaults& defaults) const {
    const auto target_at = [&](const std::string& address) { return make_target(address, defaults); };
    // Anything else is no single value: most members are.
    if (!item.is_map()) return item.as(target_at);
    const YamlMap map = item.map(kMemberKeys);
    const auto address = map.find("address");
    if (!address) item.fail("key \"address\" is missing; write for example address: zk1:2181");
    TargetSpec target = address->as(target_at);
    if (const auto value = map.find("timeout")) target.timeout = value->as(parse_timeout);
    if (const auto value = map.find("admin_url")) target.admin_url = value->as(parse_http_url);
    if (const auto value = map.find("prometheus_url")) target.prometheus_url = value->as(parse_http_url);
    if (const auto value = map.find("tls")) target.tls = parse_tls(*value);
    if (const auto value = map.find("http_auth")) target.http_auth = parse_http_auth(*value);
    return target;
  }

  void parse_canary(const YamlValue& canary, EnsembleSpec& spec) const {
    if (canary.is_scalar()) {
      spec.canary = canary.as(parse_canary_mode);
      return;
    }
    const YamlMap map = canary.map(kCanaryKeys);
    if (const auto value = map.find("mode")) spec.canary = value->as(parse_canary_mode);
    if (const auto value = map.find("path")) spec.canary_path = value->as(parse_canary_path);
    const auto auth = map.find("auth");
    const auto auth_file = map.find("auth_file");
    if (auth && auth_file) auth_file->fail("auth and auth_file exclude each other; remove one of them");
    if (auth) spec.canary_auth = auth->as(parse_canary_auth);
    if (auth_file) {
      auto credential = parse_canary_auth(secret(*auth_file));
      if (!credential) auth_file->fail(fmt::format("the content {}", credential.error().message));
      spec.canary_auth = *std::move(credential);
    }
  }

  [[nodiscard]] std::optional<TlsSpec> parse_tls(const YamlValue& value) const {
    if (value.is_scalar()) return value.boolean() ? std::optional<TlsSpec>(TlsSpec{}) : std::nullopt;
    TlsSpec tls;
    const YamlMap map = value.map(kTlsKeys);
    const auto read_path = [&](std::string_view key, std::string& out) {
      if (const auto file = map.find(key)) out = (directory_ / file->text()).string();
    };
    read_path("ca_file", tls.ca_file);
    read_path("cert_file", tls.cert_file);
    read_path("key_file", tls.key_file);
    if (const auto name = map.find("server_name")) tls.server_name = name->as(parse_server_name);
    if (const auto skip = map.find("insecure_skip_verify")) tls.verify = !skip->boolean();
    if (const auto pair = check_certificate_pair(tls); !pair)
      map.find(tls.key_file.empty() ? "cert_file" : "key_file").value_or(value).fail(pair.error().message);
    if (const auto fault = files_.check_tls(tls)) {
      static constexpr std::array<std::string_view, 3> kFileKeys{"ca_file", "cert_file", "key_file"};
      map.find(kFileKeys.at(static_cast<std::size_t>(fault->file))).value_or(value).fail(fault->message);
    }
    return tls;
  }

  [[nodiscard]] BasicAuthSpec parse_http_auth(const YamlValue& value) const {
    const YamlMap map = value.map(kHttpAuthKeys);
    const auto username = map.find("username");
    const auto password = map.find("password");
    const auto password_file = map.find("password_file");
    if (!username) value.fail("key \"username\" is missing; write username and password or password_file");
    if (password && password_file)
      password_file->fail("password and password_file exclude each other; remove one of them");
    if (!password && !password_file) value.fail("the password is missing; write password or password_file");
    BasicAuthSpec auth{username->text(), password ? password->text() : secret(*password_file)};
    if (auth.username.find(':') != std::string::npos)
      username->fail("a user name of basic authentication cannot hold a colon; choose another one");
    return auth;
  }

  /// The content of the file that `value` names, without the line end behind it.
  [[nodiscard]] std::string secret(const YamlValue& value) const {
    const std::string path = (directory_ / value.text()).string();
    auto content = files_.read_secret(path);
    if (!content) value.fail(fmt::format("\"{}\": {}", printable(path), content.error().message));
    while (content->ends_with('\n') || content->ends_with('\r')) content->pop_back();
    if (content->empty())
      value.fail(fmt::format("\"{}\": the file is empty; write the secret into it", printable(path)));
    return *std::move(content);
  }

  std::filesystem::path directory_;
  const ConfigFiles& files_;
};

}  // namespace

Result<Config> parse_config(std::string_view text, const std::string& file, const ConfigFiles& files) {
  if (text.size() > kConfigFileMax)
    return Error{Errc::kTooLarge, fmt::format("{}: the file is larger than {} bytes; is this the right file?",
                                              printable(file), kConfigFileMax)};
  if (const auto control = find_control_character(text)) {
    YAML::Mark mark;
    mark.line = static_cast<int>(control->line);
    mark.column = static_cast<int>(control->column);
    return Error{Errc::kInvalidInput,
                 yaml_place(file, mark,
                            fmt::format("a control character (0x{:02x}) stands here; is this the right file?",
                                        control->value))};
  }
  try {
    // Not LoadAll(): yaml-cpp 0.7 does not come back from it for some texts (",!" is one).
    const YAML::Node document = YAML::Load(std::string(text));
    if (!document.IsDefined() || document.IsNull())
      return Error{Errc::kInvalidInput,
                   yaml_place(file, {}, "the file is empty; write ensembles: with a list of ensembles")};
    if (const auto line = second_yaml_document(text)) {
      YAML::Mark mark;
      mark.line = static_cast<int>(*line);
      return Error{Errc::kInvalidInput,
                   yaml_place(file, mark, "a second document begins here; write everything into one")};
    }
    return ConfigParser(file, files).parse(YamlValue(document, file, ""));
  } catch (const YamlFault& fault) {
    return Error{Errc::kInvalidInput, fault.what()};
  } catch (const YAML::Exception& fault) {
    return Error{Errc::kInvalidInput,
                 yaml_place(file, fault.mark,
                            fmt::format("no valid YAML: {}; check indentation, quotes and brackets",
                                        printable(fault.msg)))};
  }
}

Result<Config> load_config(const std::string& file) {
  const auto text = read_text_file(file, kConfigFileMax);
  if (!text) return Error{text.error().code, fmt::format("{}: {}", printable(file), text.error().message)};
  return parse_config(
      *text, file,
      {[](const std::string& path) { return read_text_file(path, kSecretFileMax); }, check_tls_files});
}

}  // namespace wk::exporter
