#include "exporter/app/page_routes.h"

#include <gtest/gtest.h>

namespace wk::exporter {
namespace {

using Segments = std::vector<std::string>;

TEST(PageRoutes, AnEnsembleAndItsTables) {
  const auto whole = parse_page_path({"ensemble", "a b/c"});
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->ensemble, "a b/c");
  EXPECT_EQ(whole->table, PageTable::kNone);
  EXPECT_FALSE(whole->json);
  EXPECT_EQ(parse_page_path({"ensemble", "a", ""})->ensemble, "a");
  const std::vector<std::pair<std::string, PageTable>> tables{{"members", PageTable::kMembers},
                                                              {"connections", PageTable::kConnections},
                                                              {"configuration", PageTable::kConfiguration},
                                                              {"sources", PageTable::kSources},
                                                              {"events", PageTable::kEvents},
                                                              {"inside", PageTable::kInside}};
  for (const auto& [word, table] : tables) {
    const auto page = parse_page_path({"ensemble", "a", word});
    ASSERT_TRUE(page) << word;
    EXPECT_EQ(page->table, table);
    EXPECT_FALSE(page->json);
    const auto json = parse_page_path({"ensemble", "a", word + ".json"});
    ASSERT_TRUE(json) << word;
    EXPECT_EQ(json->table, table);
    EXPECT_TRUE(json->json);
  }
}

TEST(PageRoutes, EverythingElseIsNothing) {
  for (const Segments& segments :
       {Segments{}, Segments{"ensemble"}, Segments{"ensemble", ""}, Segments{"ensemble", "", "members"},
        Segments{"ensemble/a"}, Segments{"ensembles", "a"}, Segments{"ensemble", "a", "nope"},
        Segments{"ensemble", "a", ".json"}, Segments{"ensemble", "a", "members", ""},
        Segments{"ensemble", "a", "members.json.json"}, Segments{"ensemble", "a", "Members"},
        Segments{"ensemble", "a", "members/"}})
    EXPECT_FALSE(parse_page_path(segments)) << ::testing::PrintToString(segments);
}

TEST(PageRoutes, TheSuffixOfAnEnsembleIsCutOnRequest) {
  const auto json = without_json_suffix(*parse_page_path({"ensemble", "a.json"}));
  ASSERT_TRUE(json);
  EXPECT_EQ(json->ensemble, "a");
  EXPECT_EQ(json->table, PageTable::kNone);
  EXPECT_TRUE(json->json);
  EXPECT_FALSE(without_json_suffix(*parse_page_path({"ensemble", "a"})));
  EXPECT_FALSE(without_json_suffix(*parse_page_path({"ensemble", ".json"})));
  EXPECT_FALSE(without_json_suffix(*parse_page_path({"ensemble", "a.json", "members"})));
}

TEST(PageRoutes, JsonIsWantedByTheLastSegment) {
  EXPECT_TRUE(wants_json({"ensemble", "a", "nope.json"}));
  EXPECT_FALSE(wants_json({"ensemble", "a.json", "nope"}));
  EXPECT_FALSE(wants_json({}));
}

}  // namespace
}  // namespace wk::exporter
