#include "exporter/page/page.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "exporter/page/embedded.h"

namespace wk::exporter {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

const std::filesystem::path kSource = WK_SOURCE_DIR;
constexpr std::string_view kDocumentStyle = "document.css";

Request request(std::string path, std::vector<std::pair<std::string, std::string>> headers = {}) {
  return {"GET", std::move(path), {}, std::move(headers), "127.0.0.1", {}};
}

std::string header(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return "";
}

std::string inflated(std::string_view packed) {
  std::vector<Bytef> in(packed.begin(), packed.end());
  std::string out(std::size_t{8} << 20, '\0');
  std::vector<Bytef> bytes(out.size());
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = in.data();
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = bytes.data();
  stream.avail_out = static_cast<uInt>(bytes.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  EXPECT_EQ(stream.avail_in, 0U);
  out.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(stream.total_out));
  inflateEnd(&stream);
  return out;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::filesystem::path source_of(std::string_view name) {
  return kSource / "exporter/page" / (name == kDocumentStyle ? "" : "assets") / name;
}

/// The first group of each match.
std::vector<std::string> matches(std::string_view text, const char* pattern) {
  const std::string copy(text);
  const std::regex regex(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator match(copy.begin(), copy.end(), regex), end; match != end; ++match)
    found.push_back((*match)[1]);
  return found;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  if (at != std::string::npos) text.replace(at, what.size(), by);
  return text;
}

/// index.html with the files that its first paint needs in place of their names.
std::string document_with_what_it_waits_for() {
  std::string html = text_of(source_of("index.html"));
  for (const std::string name : {"design.css", "parts.css"})
    html = replaced(html, "<link rel=\"stylesheet\" href=\"/assets/" + name + "\">",
                    "<style>" + text_of(source_of(name)) + "</style>");
  return replaced(html, "<script src=\"/assets/early.js\"></script>",
                  "<script>" + text_of(source_of("early.js")) + "</script>");
}

std::string hash_source(const std::string& text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 64> base64{};
  EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(digest.size()));
  return fmt::format("'sha256-{}'", reinterpret_cast<const char*>(base64.data()));
}

TEST(Page, TheDocumentIsIndexHtml) {
  const Response response = page_document(request("/ensemble/a/members"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(response.body_text(), document_with_what_it_waits_for());
  EXPECT_EQ(header(response, "Cache-Control"), "no-cache");
  EXPECT_EQ(header(response, "Vary"), "Accept-Encoding");
  EXPECT_EQ(header(response, "Content-Encoding"), "");
}

// What stands in the document itself runs because the policy knows its hash, and nothing else does.
TEST(Page, TheDocumentTellsTheHashesOfWhatItHasInItself) {
  const Response response = page_document(request("/"));
  EXPECT_THAT(response.inline_hashes.scripts,
              ::testing::ElementsAre(hash_source(text_of(source_of("early.js")))));
  EXPECT_THAT(response.inline_hashes.styles,
              ::testing::ElementsAre(hash_source(text_of(source_of("design.css"))),
                                     hash_source(text_of(source_of("parts.css")))));
  EXPECT_TRUE(page_asset(request("/assets/app.js")).inline_hashes.scripts.empty());
  EXPECT_TRUE(page_not_found("x").inline_hashes.styles.empty());
}

TEST(Page, BeforeItsFirstPaintTheDocumentAsksForNothing) {
  const std::string html(page_document(request("/")).body_text());
  const std::string head = html.substr(0, html.find("</head>"));
  const auto begin = head.find("<template id=\"modules\">");
  const std::string later = head.substr(begin, head.find("</template>") - begin);
  EXPECT_THAT(later, HasSubstr("src=\"/assets/app.js\""));
  EXPECT_TRUE(matches(replaced(head, later, ""), "((?:src|href)=\"/assets/)").empty());
}

TEST(Page, PackedOnlyForThoseWhoTakeIt) {
  const Response plain = page_document(request("/", {{"Accept-Encoding", "br, gzip;q=0"}}));
  const Response packed = page_document(request("/", {{"Accept-Encoding", "br, gzip"}}));
  EXPECT_EQ(header(plain, "Content-Encoding"), "");
  EXPECT_EQ(header(packed, "Content-Encoding"), "gzip");
  EXPECT_EQ(inflated(packed.body_text()), plain.body_text());
  EXPECT_LT(packed.body_text().size(), plain.body_text().size());
  EXPECT_NE(header(plain, "ETag"), header(packed, "ETag")) << "two representations under one strong tag";
}

TEST(Page, WhatTheClientHasIsNotSentAgain) {
  for (const char* encoding : {"identity", "gzip"}) {
    const std::string tag = header(page_document(request("/", {{"Accept-Encoding", encoding}})), "ETag");
    EXPECT_THAT(tag, ::testing::MatchesRegex("\"[0-9a-f]{32}(-gzip)?\""));
    const Response again =
        page_document(request("/", {{"Accept-Encoding", encoding}, {"If-None-Match", "\"x\", W/" + tag}}));
    EXPECT_EQ(again.status, 304);
    EXPECT_EQ(again.body_text(), "");
    EXPECT_EQ(header(again, "ETag"), tag);
    EXPECT_EQ(header(again, "Cache-Control"), "no-cache");
    EXPECT_EQ(header(again, "Vary"), "Accept-Encoding");
    EXPECT_EQ(page_document(request("/", {{"Accept-Encoding", encoding}, {"If-None-Match", "\"x\""}})).status,
              200);
  }
}

TEST(Page, EveryAssetIsServedAsItsType) {
  std::set<std::string> types;
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name == "index.html") continue;
    const Response response = page_asset(request("/assets/" + std::string(file.name)));
    EXPECT_EQ(response.status, 200) << file.name;
    EXPECT_EQ(response.body_text(), text_of(source_of(file.name))) << file.name;
    EXPECT_EQ(inflated(file.gzip), file.plain) << file.name;
    types.insert(response.content_type);
  }
  EXPECT_TRUE(types.contains("text/javascript; charset=utf-8"));
  EXPECT_TRUE(types.contains("text/css; charset=utf-8"));
}

TEST(Page, EveryFileOfTheFolderIsEmbedded) {
  std::vector<std::string> expected{std::string(kDocumentStyle)};
  const auto folder = kSource / "exporter/page/assets";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().lexically_relative(folder).string();
    if (entry.is_regular_file() && entry.path().filename() != "LICENSE") expected.push_back(name);
  }
  std::ranges::sort(expected);
  std::vector<std::string> found;
  for (const EmbeddedFile& file : embedded_files()) found.emplace_back(file.name);
  EXPECT_EQ(found, expected);
}

TEST(Page, PathsOutsideTheListAreNotFound) {
  for (const std::string& path :
       {std::string("/assets/"), std::string("/assets"), std::string("/assets/index.html"),
        std::string("/assets/../page.cpp"), std::string("/assets//index.html"), std::string("/assets/.."),
        std::string("/assets/app.js\0", 15), std::string("/assets/\xff\xfe"), std::string("/assets/APP.JS"),
        "/assets/" + std::string(100'000, 'a'), std::string("/etc/passwd"), std::string()}) {
    const Response response = page_asset(request(path));
    EXPECT_EQ(response.status, 404) << path.substr(0, 100);
    EXPECT_THAT(std::string(response.body_text()), HasSubstr("The page has no such part."));
  }
}

TEST(Page, WhatTheDocumentNamesIsThere) {
  const std::string html = text_of(kSource / "exporter/page/assets/index.html");
  const auto named = matches(html, "(?:src|href)=\"/assets/([^\"]+)\"");
  EXPECT_GE(named.size(), 3U);
  for (const std::string& name : named) EXPECT_EQ(page_asset(request("/assets/" + name)).status, 200) << name;
  for (const EmbeddedFile& file : embedded_files()) {
    if (!file.name.ends_with(".js")) continue;
    const auto folder = std::filesystem::path(file.name).parent_path();
    for (const std::string& module : matches(file.plain, "\\bfrom ?'(\\.[^']+)'")) {
      const auto name = (folder / module).lexically_normal().string();
      EXPECT_EQ(page_asset(request("/assets/" + name)).status, 200) << file.name << " imports " << name;
    }
  }
}

TEST(Page, NothingInlineThatThePolicyForbids) {
  const std::string html = text_of(kSource / "exporter/page/assets/index.html");
  EXPECT_TRUE(matches(html, "<(style)").empty());
  EXPECT_TRUE(matches(html, "<script(?![^>]* src=)([^>]*)>").empty());
  EXPECT_TRUE(matches(html, "<[^>]* (style|on[a-z]+)=").empty());
  EXPECT_TRUE(matches(html, "(?:src|href)=\"(https?:|//)").empty());
}

TEST(Page, AllOfItIsSmall) {
  std::size_t bytes = 0;
  for (const EmbeddedFile& file : embedded_files()) bytes += file.gzip.size();
  EXPECT_LT(bytes, 300U * 1024);
}

TEST(Page, EveryRunbookIsServed) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kSource / "docs/runbooks")) {
    const std::string name = entry.path().stem().string();
    if (name == "README") continue;
    const Response response = page_runbook(request("/runbooks/" + name));
    EXPECT_EQ(response.status, 200) << name;
    EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
    const std::string html(response.body_text());
    EXPECT_THAT(html, StartsWith("<!DOCTYPE html>\n"));
    EXPECT_THAT(html, HasSubstr("<h1>" + name + "</h1>")) << name;
    EXPECT_THAT(html, HasSubstr("<h2>Confirm</h2>")) << name;
    EXPECT_THAT(html, HasSubstr("<link rel=\"stylesheet\" href=\"/assets/design.css\">"));
    EXPECT_THAT(html, HasSubstr("<link rel=\"stylesheet\" href=\"/assets/document.css\">"));
    for (const std::string& asset : matches(html, "(?:src|href)=\"(/assets/[^\"]+)\""))
      EXPECT_EQ(page_asset(request(asset)).status, 200) << asset;
    EXPECT_TRUE(matches(html, "<(style)").empty());
    ++count;
  }
  EXPECT_GT(count, 30U);
  EXPECT_EQ(embedded_runbooks().size(), count + 1);
}

TEST(Page, LinksOfRunbooksLeadToRunbooks) {
  std::size_t links = 0;
  for (const EmbeddedRunbook& runbook : embedded_runbooks()) {
    const std::string html(runbook.html);
    for (const std::string& target : matches(html, "href=\"([^\"]*)\"")) {
      if (target.starts_with("https://")) continue;
      EXPECT_EQ(page_runbook(request(target)).status, 200) << runbook.name << " links to " << target;
      ++links;
    }
    EXPECT_TRUE(matches(html, "(<a [^>]*><a )").empty()) << runbook.name;
  }
  EXPECT_GT(links, 60U);
  const Response list = page_runbook(request("/runbooks/"));
  EXPECT_EQ(list.status, 200);
  for (const EmbeddedRunbook& runbook : embedded_runbooks()) {
    if (runbook.name == "README") continue;
    EXPECT_THAT(std::string(list.body_text()), HasSubstr("\"/runbooks/" + std::string(runbook.name) + "\""));
  }
}

TEST(Page, TheNameOfARunbooksFileLeadsToItsPage) {
  for (const EmbeddedRunbook& runbook : embedded_runbooks()) {
    const std::string name(runbook.name);
    const Response response = page_runbook(request("/runbooks/" + name + ".md"));
    EXPECT_EQ(response.status, 308) << name;
    // Relative, so that it stays below the prefix of a proxy.
    const std::string target = name == "README" ? "./" : name;
    EXPECT_THAT(response.headers, Contains(Pair("Location", target)));
    EXPECT_THAT(std::string(response.body_text()), HasSubstr("href=\"" + target + "\""));
  }
}

TEST(Page, OtherRunbooksAreNotFound) {
  for (const std::string& path :
       {std::string("/runbooks"), std::string("/runbooks/README"),
        std::string("/runbooks/ZooKeeperNoLeader.md.md"), std::string("/runbooks/.md"),
        std::string("/runbooks/Nothing.md"), std::string("/runbooks/../ADR"),
        std::string("/runbooks/../ADR.md"), std::string("/runbooks/ZooKeeperNoLeader\0", 28),
        std::string("/runbooks/\xff"), "/runbooks/" + std::string(100'000, 'a')})
    EXPECT_EQ(page_runbook(request(path)).status, 404) << path.substr(0, 100);
}

TEST(Page, NotFoundEscapesWhatWasAskedFor) {
  const Response response = page_not_found("<script>alert('\"1\"')</script>&\x01\xff");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
  const std::string html(response.body_text());
  EXPECT_THAT(html,
              HasSubstr("<p>&lt;script&gt;alert(&#39;&quot;1&quot;&#39;)&lt;/script&gt;&amp; \xff</p>"));
  EXPECT_THAT(html, Not(HasSubstr("<script>")));
}

}  // namespace
}  // namespace wk::exporter
