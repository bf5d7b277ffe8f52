#include "server/config/secrets.h"

#include <gtest/gtest.h>

namespace wk::config {
namespace {

TEST(Secrets, TheTextStaysAsItIs) {
  const std::string text = "# a comment\n\ntickTime=2000\r\n  dataDir = /x\\y\nempty\n";
  EXPECT_EQ(without_secrets(text), text);
  EXPECT_EQ(without_secrets("a=1"), "a=1");
  EXPECT_EQ(without_secrets(""), "");
}

TEST(Secrets, ValuesOfPasswordsAreHidden) {
  EXPECT_EQ(without_secrets("ssl.keyStore.password=hush\nssl.quorum.trustStore.passwordPath : /p\n"
                            " DigestAuthenticationProvider.superDigest super:x=\na=password\n"),
            "ssl.keyStore.password=***\nssl.quorum.trustStore.passwordPath=***\n"
            " DigestAuthenticationProvider.superDigest=***\na=password\n");
}

TEST(Secrets, AValueThatGoesOnInTheNextLineIsHiddenWhole) {
  EXPECT_EQ(without_secrets("ssl.keyStore.password=hu\\\n  sh\\\r\nhush\ntickTime=1\n"),
            "ssl.keyStore.password=***\ntickTime=1\n");
}

}  // namespace
}  // namespace wk::config
