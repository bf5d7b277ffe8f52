#include "exporter/app/landing.h"

#include <fmt/format.h>

#include <array>

#include "exporter/app/api_status.h"
#include "exporter/app/health.h"
#include "exporter/app/json_text.h"

namespace wk::exporter {
namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --line: #ccc; --ok: #1a7f37; --warning: #9a6700; --critical: #cf222e; }
@media (prefers-color-scheme: dark) {
  :root { --line: #444; --ok: #3fb950; --warning: #d29922; --critical: #f85149; }
}
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 1.5rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
.ok { color: var(--ok); } .info { color: inherit; } .warning { color: var(--warning); }
.critical { color: var(--critical); } .small { font-size: 85%; opacity: .8; }
)";

struct Link {
  const char* path;
  const char* about;
};
constexpr std::array kLinks{
    Link{"/metrics", "metrics for Prometheus"},
    Link{"/api/v1/status", "status document (JSON)"},
    Link{"/api/v1/members", "everything about each member (JSON)"},
    Link{"/api/v1/events", "events (JSON)"},
    Link{"/api/v1/history", "the last ten minutes (JSON)"},
    Link{"/livez", "is the exporter alive?"},
    Link{"/readyz?verbose", "has every member been visited?"},
};

const char* member_class(const MemberView& member) {
  switch (member.state) {
    case ServingState::kServing:
      return member.in_sync ? "ok" : "warning";
    case ServingState::kReadOnly:
    case ServingState::kSyncing:
      return "warning";
    case ServingState::kLooking:
    case ServingState::kNotServing:
    case ServingState::kUnreachable:
      break;
  }
  return "critical";
}

std::string query_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == ':';
    if (plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string member_row(const EnsembleView& ensemble, const MemberView& member) {
  const Json safe = safe_to_stop_json(member.safe_to_stop);
  const std::string lag =
      member.lag_transactions ? fmt::format("{} transactions", *member.lag_transactions) : "unknown";
  return fmt::format(
      "<tr><td>{}</td><td class=\"{}\">{}<div class=\"small\">{}</div></td><td>{}{}</td><td>{}</td>"
      "<td><a class=\"{}\" href=\"/api/v1/safe-to-stop?member={}&amp;ensemble={}\">&#9679; {}</a>"
      "<div class=\"small\">{}</div></td></tr>\n",
      html_escaped(member.name), member_class(member), name(member.state), html_escaped(member.state_reason),
      name(member.role), member.voter ? "" : ", no vote", lag, member.safe_to_stop.safe ? "ok" : "critical",
      query_encoded(member.name), query_encoded(ensemble.name), member.safe_to_stop.safe ? "yes" : "no",
      html_escaped(safe["reason"].get_ref<const std::string&>()));
}

std::string problem_item(const Problem& problem) {
  return fmt::format("<li class=\"{}\"><b>{}</b> {}<div class=\"small\">Cause: {}<br>Remedy: {}</div></li>\n",
                     name(problem.severity), html_escaped(problem.id), html_escaped(problem.summary),
                     html_escaped(problem.cause), html_escaped(problem.remedy));
}

std::string ensemble_section(const EnsembleView& ensemble) {
  std::string html =
      fmt::format("<section><h2>{}</h2>\n<p class=\"{}\"><b>{}</b></p>\n", html_escaped(ensemble.name),
                  status_word(ensemble), html_escaped(ensemble.verdict));
  html += fmt::format("<p>{} of {} voters in sync, {} needed: margin {}.</p>\n", ensemble.voters_in_sync,
                      ensemble.voters, ensemble.majority, ensemble.quorum_margin);
  html +=
      "<table><thead><tr><th>Member</th><th>State</th><th>Role</th><th>Behind</th><th>Safe to "
      "stop?</th></tr></thead>"
      "<tbody>\n";
  for (const MemberView& member : ensemble.members) html += member_row(ensemble, member);
  html += "</tbody></table>\n";
  if (!ensemble.problems.empty()) {
    html += "<h3>Problems</h3><ul>\n";
    for (const Problem& problem : ensemble.problems) html += problem_item(problem);
    html += "</ul>\n";
  }
  return html + "</section>\n";
}

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    }
  }
  return out;
}

Response landing_page(const Snapshot& snapshot, const BuildInfo& build,
                      std::chrono::nanoseconds longest_interval, Moment now) {
  const auto stale = staleness(snapshot, longest_interval, now);
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<meta http-equiv=\"refresh\" content=\"5\">\n"
      "<title>Watchkeeper: {}</title>\n<style>{}</style></head>\n<body>\n<h1>Watchkeeper exporter</h1>\n",
      stale ? "critical" : status_word(snapshot), kStyle);
  if (stale) html += fmt::format("<p class=\"critical\"><b>{}</b></p>\n", html_escaped(*stale));
  for (const EnsembleView& ensemble : snapshot.ensembles) html += ensemble_section(ensemble);
  html += "<h2>More</h2><ul>\n";
  for (const Link& link : kLinks)
    html += fmt::format("<li><a href=\"{}\">{}</a> &ndash; {}</li>\n", link.path, link.path, link.about);
  html +=
      fmt::format("</ul>\n<p class=\"small\">As of {}. Version {}, revision {}.</p>\n</body></html>\n",
                  rfc3339(snapshot.taken.wall), html_escaped(build.version), html_escaped(build.revision));

  Response response;
  response.content_type = "text/html; charset=utf-8";
  response.body = std::move(html);
  response.headers = {{"Cache-Control", "no-store"},
                      {"Content-Security-Policy",
                       "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
                       "frame-ancestors 'none'"}};
  return response;
}

}  // namespace wk::exporter
