#include "exporter/page/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "exporter/page/embedded.h"
#include "exporter/web/negotiation.h"

namespace wk::exporter {
namespace {

constexpr std::string_view kDocument = "index.html";
constexpr std::string_view kAssetsPrefix = "/assets/";
constexpr std::string_view kRunbooksPrefix = "/runbooks/";
constexpr std::string_view kRunbookList = "README";
constexpr std::string_view kRunbookFile = ".md";

template <typename Embedded>
const Embedded* find_by_name(std::span<const Embedded> all, std::string_view name) {
  const auto found =
      std::lower_bound(all.begin(), all.end(), name,
                       [](const Embedded& each, std::string_view wanted) { return each.name < wanted; });
  return found != all.end() && found->name == name ? &*found : nullptr;
}

/// The file in the encoding that the client takes. The two encodings are two representations: each has a tag
/// of its own.
Response file_response(const Request& request, const EmbeddedFile& file) {
  const bool packed = accepts_gzip(request.header("Accept-Encoding")) && file.gzip.size() < file.plain.size();
  const std::string tag = fmt::format("\"{}{}\"", file.hash, packed ? "-gzip" : "");
  Response response;
  response.content_type = file.content_type;
  // A program that was replaced is seen at once, and a file that was not is sent once.
  response.headers = {{"Cache-Control", "no-cache"}, {"ETag", tag}, {"Vary", "Accept-Encoding"}};
  if (matches_etag(request.header("If-None-Match"), tag)) {
    response.status = 304;
    return response;
  }
  if (packed) response.headers.emplace_back("Content-Encoding", "gzip");
  response.body = StaticText{packed ? file.gzip : file.plain};
  return response;
}

Response document(int status, std::string_view title, std::string_view body) {
  Response response;
  response.status = status;
  response.content_type = "text/html; charset=utf-8";
  response.body = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{} – Watchkeeper</title>\n{}</head>\n<body class=\"document\">\n"
      "<nav aria-label=\"Watchkeeper\"><a href=\"/\">Status</a> <a href=\"/runbooks/\">Runbooks</a></nav>\n"
      "<main>\n{}</main>\n</body>\n</html>\n",
      html_escaped(title), embedded_look(), body);
  return response;
}

/// From the name of the file in the source tree, which a rule's runbook_url ends with, to the page. Relative,
/// so that it is right behind a proxy that adds a prefix.
Response moved_to(const EmbeddedRunbook& runbook) {
  const std::string_view target = runbook.name == kRunbookList ? "./" : runbook.name;
  Response response =
      document(308, runbook.title, fmt::format("<p>It is at <a href=\"{0}\">{0}</a>.</p>\n", target));
  response.headers.emplace_back("Location", target);
  return response;
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

Response page_document(const Request& request) {
  const EmbeddedFile* const file = find_by_name(embedded_files(), kDocument);
  WK_CHECK(file != nullptr, "the program was built without its page");
  Response response = file_response(request, *file);
  response.inline_hashes = embedded_inline_hashes();
  return response;
}

Response page_asset(const Request& request) {
  const std::string_view path = request.path;
  const EmbeddedFile* const file = path.starts_with(kAssetsPrefix)
                                       ? find_by_name(embedded_files(), path.substr(kAssetsPrefix.size()))
                                       : nullptr;
  if (file == nullptr || file->name == kDocument) return page_not_found("The page has no such part.");
  return file_response(request, *file);
}

Response page_runbook(const Request& request) {
  std::string_view name = request.path;
  if (!name.starts_with(kRunbooksPrefix)) return page_not_found("There is no such runbook.");
  name.remove_prefix(kRunbooksPrefix.size());
  if (name.ends_with(kRunbookFile)) {
    const std::string_view stem = name.substr(0, name.size() - kRunbookFile.size());
    if (const EmbeddedRunbook* const meant = find_by_name(embedded_runbooks(), stem)) return moved_to(*meant);
  }
  // The list has one URL.
  const EmbeddedRunbook* const runbook =
      name == kRunbookList ? nullptr : find_by_name(embedded_runbooks(), name.empty() ? kRunbookList : name);
  if (runbook == nullptr) return page_not_found("There is no such runbook; /runbooks/ lists them.");
  return document(200, runbook->title, runbook->html);
}

Response page_not_found(std::string_view what) {
  return document(
      404, "Not found",
      fmt::format("<h1>Not found</h1>\n<p>{}</p>\n<p><a href=\"/\">Back to the status page</a></p>\n",
                  html_escaped(what)));
}

}  // namespace wk::exporter
