#include "base/ensemble_name.h"

#include <gtest/gtest.h>

#include <string>

namespace wk {
namespace {

TEST(EnsembleName, FitsALabelAndAPathOfAUrl) {
  for (const std::string_view name : {kDefaultEnsembleName, std::string_view("prod eu-1"),
                                      std::string_view("a/b"), std::string_view("...")})
    EXPECT_TRUE(legal_ensemble_name(name)) << name;
  EXPECT_TRUE(legal_ensemble_name(std::string(64, 'x')));
  EXPECT_FALSE(legal_ensemble_name(std::string(65, 'x')));
  for (const std::string_view name :
       {"", ".", "..", "a\"b", "it's", "a\\b", "a\nb", "a\tb", "caf\xc3\xa9", "a\x7f"})
    EXPECT_FALSE(legal_ensemble_name(name)) << name;
}

}  // namespace
}  // namespace wk
