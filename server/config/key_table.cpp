#include "server/config/key_table.h"

#include <algorithm>
#include <array>

namespace wk::config {
namespace {

using enum ValueType;
using enum Standing;

constexpr std::string_view kJvm =
    "it tunes threads or memory of the Java virtual machine, and this server has none";
constexpr std::string_view kNetty = "it tunes Netty, which this server does not use";
constexpr std::string_view kWorkers =
    "requests are handled on one thread, without stages between which they could wait";
constexpr std::string_view kCaches = "answers are made straight from the tree, faster than out of a cache";
constexpr std::string_view kWatchTable = "the watch table needs no cleaner";
constexpr std::string_view kThrottle = "throttles are not in this version";
constexpr std::string_view kLoggers = "it configures Java's logging";
constexpr std::string_view kAdminTls = "TLS is not in this version; the AdminServer speaks plain HTTP";
constexpr std::string_view kAdminActions = "the commands that change the server are not answered here";
constexpr std::string_view kTesting = "it exists for Apache's own tests";
constexpr std::string_view kSasl =
    "SASL authentication is not in this version, and leaving it out silently would open the server";
constexpr std::string_view kTls =
    "TLS is not in this version, and serving without it silently would expose the data";
constexpr std::string_view kAudit =
    "audit lines are not in this version, and a missing audit trail must not go unnoticed";
constexpr std::string_view kPathStats = "statistics by path are not in this version";
constexpr std::string_view kQuota = "quotas are counted nowhere in this version";
constexpr std::string_view kSaslDetail = "it has a meaning with SASL only";
constexpr std::string_view kLocalSessions = "local sessions are not in this version";

// Sorted by name; a unit test checks that, and that every key of the reference is here.
constexpr std::array kTable{
    KeyRule{"4lw.commands.whitelist", kText, kWorks, ""},
    KeyRule{"DigestAuthenticationProvider.digestAlg", kText, kWorks, ""},
    KeyRule{"DigestAuthenticationProvider.enabled", kBool, kWorks, ""},
    KeyRule{"DigestAuthenticationProvider.superDigest", kText, kWorks, ""},
    KeyRule{"IPAuthenticationProvider.usexforwardedfor", kBool, kNoEffect, kAdminActions},
    KeyRule{"SASLAuthenticationProvider.superPassword", kText, kNoEffect, kSaslDetail},
    KeyRule{"X509AuthenticationProvider.superUser", kText, kNoEffect,
            "it has a meaning with client certificates only"},
    KeyRule{"admin.commandURL", kText, kWorks, ""},
    KeyRule{"admin.enableServer", kText, kWorks, ""},
    KeyRule{"admin.forceHttps", kBool, kNoEffect, kAdminTls},
    KeyRule{"admin.httpVersion", kInt, kNoEffect, "HTTP 1.0 and 1.1 are spoken"},
    KeyRule{"admin.idleTimeout", kInt, kWorks, ""},
    KeyRule{"admin.needClientAuth", kBool, kNoEffect, kAdminTls},
    KeyRule{"admin.portUnification", kBool, kNoEffect, kAdminTls},
    KeyRule{"admin.rateLimiterIntervalInMS", kInt, kNoEffect, kAdminActions},
    KeyRule{"admin.restore.enabled", kBool, kNoEffect, kAdminActions},
    KeyRule{"admin.serverAddress", kText, kWorks, ""},
    KeyRule{"admin.serverPort", kInt, kWorks, ""},
    KeyRule{"admin.snapshot.enabled", kBool, kNoEffect, kAdminActions},
    KeyRule{"allowSaslFailedClients", kBool, kNoEffect, kSaslDetail},
    KeyRule{"audit.enable", kBool, kRefusedWhenTrue, kAudit},
    KeyRule{"audit.impl.class", kText, kNoEffect, "audit lines are not in this version"},
    KeyRule{"autopurge.purgeInterval", kStrictInt, kWorks, ""},
    KeyRule{"autopurge.snapRetainCount", kStrictInt, kWorks, ""},
    KeyRule{"bitHashCacheSize", kInt, kNoEffect, kWatchTable},
    KeyRule{"client.certReload", kBool, kNoEffect, "TLS is not in this version"},
    KeyRule{"client.portUnification", kBool, kRefusedWhenTrue, kTls},
    KeyRule{"clientPort", kStrictInt, kWorks, ""},
    KeyRule{"clientPortAddress", kText, kWorks, ""},
    KeyRule{"clientPortListenBacklog", kStrictInt, kWorks, ""},
    KeyRule{"clientTcpKeepAlive", kBool, kWorks, ""},
    KeyRule{"closeSessionTxn.enabled", kBool, kWorks, ""},
    KeyRule{"cnxTimeout", kInt, kEnsemble, ""},
    KeyRule{"commitLogCount", kInt, kEnsemble, ""},
    KeyRule{"commitProcessor.maxCommitBatchSize", kInt, kNoEffect, kWorkers},
    KeyRule{"commitProcessor.maxReadBatchSize", kInt, kNoEffect, kWorkers},
    KeyRule{"commitProcessor.numWorkerThreads", kInt, kNoEffect, kWorkers},
    KeyRule{"commitProcessor.shutdownTimeout", kLong, kNoEffect, kWorkers},
    KeyRule{"connectToLearnerMasterLimit", kStrictInt, kEnsemble, ""},
    KeyRule{"connection_throttle_decrease_ratio", kDouble, kNoEffect, kThrottle},
    KeyRule{"connection_throttle_drop_decrease", kDouble, kNoEffect, kThrottle},
    KeyRule{"connection_throttle_drop_increase", kDouble, kNoEffect, kThrottle},
    KeyRule{"connection_throttle_fill_count", kInt, kNoEffect, kThrottle},
    KeyRule{"connection_throttle_fill_time", kInt, kNoEffect, kThrottle},
    KeyRule{"connection_throttle_freeze_time", kInt, kNoEffect, kThrottle},
    KeyRule{"connection_throttle_global_session_weight", kInt, kNoEffect, kThrottle},
    KeyRule{"connection_throttle_local_session_weight", kInt, kNoEffect, kThrottle},
    KeyRule{"connection_throttle_renew_session_weight", kInt, kNoEffect, kThrottle},
    KeyRule{"connection_throttle_tokens", kInt, kNoEffect, kThrottle},
    KeyRule{"connection_throttle_weight_enabled", kBool, kNoEffect, kThrottle},
    KeyRule{"console.threshold", kText, kNoEffect, kLoggers},
    KeyRule{"controllerPort", kInt, kNoEffect, kTesting},
    KeyRule{"dataDir", kText, kWorks, ""},
    KeyRule{"dataLogDir", kText, kWorks, ""},
    KeyRule{"datadir.autocreate", kBool, kWorks, ""},
    KeyRule{"db.autocreate", kBool, kWorks, ""},
    KeyRule{"digest.enabled", kBool, kWorks, ""},
    KeyRule{"dynamicConfigFile", kText, kEnsemble, ""},
    KeyRule{"electionAlg", kStrictInt, kEnsemble, ""},
    KeyRule{"electionPortBindRetry", kInt, kEnsemble, ""},
    KeyRule{"emulate353TTLNodes", kBool, kRefusedWhenTrue,
            "the encoding of TTL nodes of release 3.5.3 is not supported, and using the other one would "
            "misread the data"},
    KeyRule{"enableEagerACLCheck", kBool, kEnsemble, ""},
    KeyRule{
        "enforce.auth.enabled", kBool, kRefusedWhenTrue,
        "enforced authentication is not in this version, and leaving it out silently would open the server"},
    KeyRule{"enforce.auth.schemes", kText, kNoEffect, "it has a meaning with enforce.auth.enabled only"},
    KeyRule{"enforceQuota", kBool, kNoEffect, kQuota},
    KeyRule{"ensembleAuthName", kText, kNoEffect,
            "the authentication scheme \"ensemble\" is not in this version"},
    KeyRule{"extendedTypesEnabled", kBool, kWorks, ""},
    KeyRule{"fastleader.maxNotificationInterval", kInt, kEnsemble, ""},
    KeyRule{"fastleader.minNotificationInterval", kInt, kEnsemble, ""},
    KeyRule{"fips-mode", kBool, kNoEffect, "it selects Java's TLS and SASL providers"},
    KeyRule{"flushDelay", kLong, kNoEffect, "a group commit takes what is queued and never waits for more"},
    KeyRule{"follower.nodelay", kBool, kNoEffect, "TCP_NODELAY is always on"},
    KeyRule{"follower.skipLearnerRequestToNextProcessor", kBool, kNoEffect, kWorkers},
    KeyRule{"forceSnapshotSync", kBool, kEnsemble, ""},
    KeyRule{"forceSync", kYesNo, kWorks, ""},
    KeyRule{"forward_learner_requests_to_commit_processor_disabled", kBool, kNoEffect, kWorkers},
    KeyRule{"fsync.warningthresholdms", kLong, kWorks, ""},
    KeyRule{"globalOutstandingLimit", kInt, kWorks, ""},
    KeyRule{"initLimit", kStrictInt, kEnsemble, ""},
    KeyRule{"intBufferStartingSizeBytes", kInt, kNoEffect, kJvm},
    KeyRule{"java.security.auth.login.config", kText, kRefused, kSasl},
    KeyRule{"jdk.tls.rejectClientInitiatedRenegotiation", kBool, kNoEffect, kJvm},
    KeyRule{"jmx.log4j.disable", kBool, kNoEffect, kLoggers},
    KeyRule{"jmx.log4j.mbean", kText, kNoEffect, kLoggers},
    KeyRule{"jute.maxbuffer", kInt, kWorks, ""},
    KeyRule{"jute.maxbuffer.extrasize", kInt, kWorks, ""},
    KeyRule{"jvm.pause.info-threshold.ms", kStrictLong, kNoEffect, kJvm},
    KeyRule{"jvm.pause.monitor", kStrictBool, kNoEffect, kJvm},
    KeyRule{"jvm.pause.sleep.time.ms", kStrictLong, kNoEffect, kJvm},
    KeyRule{"jvm.pause.warn-threshold.ms", kStrictLong, kNoEffect, kJvm},
    KeyRule{"kerberos.canonicalizeHostNames", kBool, kNoEffect, kSaslDetail},
    KeyRule{"kerberos.minReLoginTimeMs", kLong, kNoEffect, kSaslDetail},
    KeyRule{"kerberos.removeHostFromPrincipal", kBool, kNoEffect, kSaslDetail},
    KeyRule{"kerberos.removeRealmFromPrincipal", kBool, kNoEffect, kSaslDetail},
    KeyRule{"kinit", kText, kNoEffect, kSaslDetail},
    KeyRule{"largeRequestMaxBytes", kInt, kNoEffect, kThrottle},
    KeyRule{"largeRequestThreshold", kInt, kNoEffect, kThrottle},
    KeyRule{"leader.ackLoggingFrequency", kInt, kEnsemble, ""},
    KeyRule{"leader.closeSocketAsync", kBool, kNoEffect, "sockets are always closed without waiting"},
    KeyRule{"leader.maxConcurrentDiffSyncs", kInt, kEnsemble, ""},
    KeyRule{"leader.maxConcurrentSnapSyncs", kInt, kEnsemble, ""},
    KeyRule{"leader.maxTimeToWaitForEpoch", kInt, kEnsemble, ""},
    KeyRule{"leader.nodelay", kBool, kNoEffect, "TCP_NODELAY is always on"},
    KeyRule{"leaderConnectDelayDuringRetryMs", kInt, kEnsemble, ""},
    KeyRule{"leaderServes", kYesNo, kEnsemble, ""},
    KeyRule{"learner.asyncSending", kBool, kNoEffect, "members always send without waiting"},
    KeyRule{"learner.closeSocketAsync", kBool, kNoEffect, "sockets are always closed without waiting"},
    KeyRule{"letAnySaslUserDoX", kText, kNoEffect, kSaslDetail},
    KeyRule{"localSessionsEnabled", kStrictBool, kNoEffectWhenTrue, kLocalSessions},
    KeyRule{"localSessionsUpgradingEnabled", kStrictBool, kNoEffectWhenTrue, kLocalSessions},
    KeyRule{"log.dir", kText, kNoEffect, kLoggers},
    KeyRule{"log.file", kText, kNoEffect, kLoggers},
    KeyRule{"log.maxbackupindex", kInt, kNoEffect, kLoggers},
    KeyRule{"log.maxfilesize", kText, kNoEffect, kLoggers},
    KeyRule{"log.threshold", kText, kNoEffect, kLoggers},
    KeyRule{"maxBatchSize", kInt, kNoEffect, "a group commit takes all that is queued"},
    KeyRule{"maxClientCnxns", kStrictInt, kWorks, ""},
    KeyRule{"maxCnxns", kInt, kWorks, ""},
    KeyRule{"maxGetChildrenResponseCacheSize", kInt, kNoEffect, kCaches},
    KeyRule{"maxInProcessingDeadWatchers", kInt, kNoEffect, kWatchTable},
    KeyRule{"maxResponseCacheSize", kInt, kNoEffect, kCaches},
    KeyRule{"maxSessionTimeout", kStrictInt, kWorks, ""},
    KeyRule{"maxWriteQueuePollTime", kLong, kNoEffect,
            "a group commit takes what is queued and never waits for more"},
    KeyRule{"messageTracker.BufferSize", kInt, kNoEffect, "quorum messages are not recorded"},
    KeyRule{"messageTracker.Enabled", kBool, kNoEffect, "quorum messages are not recorded"},
    KeyRule{"metricsProvider.className", kText, kWorks, ""},
    KeyRule{"metricsProvider.exportJvmInfo", kBool, kNoEffect,
            "there is no Java virtual machine to tell of; process_* is always there"},
    KeyRule{"metricsProvider.httpHost", kText, kWorks, ""},
    KeyRule{"metricsProvider.httpPort", kStrictInt, kWorks, ""},
    KeyRule{"metricsProvider.maxQueueSize", kStrictInt, kNoEffect,
            "metrics are read from a copy; there is no queue"},
    KeyRule{"metricsProvider.numWorkerThreads", kStrictInt, kNoEffect,
            "metrics are read from a copy; there is no queue"},
    KeyRule{"metricsProvider.workerShutdownTimeoutMs", kStrictLong, kNoEffect,
            "metrics are read from a copy; there is no queue"},
    KeyRule{"minSessionTimeout", kStrictInt, kWorks, ""},
    KeyRule{"multiAddress.enabled", kStrictBool, kEnsemble, ""},
    KeyRule{"multiAddress.reachabilityCheckEnabled", kStrictBool, kEnsemble, ""},
    KeyRule{"multiAddress.reachabilityCheckTimeoutMs", kStrictInt, kEnsemble, ""},
    KeyRule{"netty.advancedFlowControl.enabled", kBool, kNoEffect, kNetty},
    KeyRule{"netty.server.earlyDropSecureConnectionHandshakes", kBool, kNoEffect, kNetty},
    KeyRule{"netty.server.outstandingHandshake.limit", kInt, kNoEffect, kNetty},
    KeyRule{"nio.directBufferBytes", kInt, kNoEffect, kJvm},
    KeyRule{"nio.numSelectorThreads", kInt, kNoEffect, kJvm},
    KeyRule{"nio.numWorkerThreads", kInt, kNoEffect, kJvm},
    KeyRule{"nio.sessionlessCnxnTimeout", kInt, kWorks, ""},
    KeyRule{"nio.shutdownTimeout", kInt, kNoEffect, kJvm},
    KeyRule{"observer.election.DelayMs", kLong, kEnsemble, ""},
    KeyRule{"observer.reconnectDelayMs", kLong, kEnsemble, ""},
    KeyRule{"observer.syncEnabled", kBool, kEnsemble, ""},
    KeyRule{"observerMaster.sizeLimit", kInt, kEnsemble, ""},
    KeyRule{"observerMasterPort", kStrictInt, kEnsemble, ""},
    KeyRule{"oraclePath", kText, kRefused,
            "an oracle for two members is not supported, and going on without it would change who may write"},
    KeyRule{"pathStats.delay", kInt, kNoEffect, kPathStats},
    KeyRule{"pathStats.enabled", kBool, kNoEffect, kPathStats},
    KeyRule{"pathStats.initialDelay", kInt, kNoEffect, kPathStats},
    KeyRule{"pathStats.maxDepth", kInt, kNoEffect, kPathStats},
    KeyRule{"pathStats.sampleRate", kDouble, kNoEffect, kPathStats},
    KeyRule{"pathStats.slotCapacity", kInt, kNoEffect, kPathStats},
    KeyRule{"pathStats.slotDuration", kInt, kNoEffect, kPathStats},
    KeyRule{"pathStats.topPathMax", kInt, kNoEffect, kPathStats},
    KeyRule{"peerType", kText, kEnsemble, ""},
    KeyRule{"portUnification", kStrictBool, kRefusedWhenTrue, kTls},
    KeyRule{"preAllocSize", kLong, kWorks, ""},
    KeyRule{"quorum.auth.enableSasl", kStrictBool, kRefusedWhenTrue, kSasl},
    KeyRule{"quorum.auth.kerberos.servicePrincipal", kText, kNoEffect, kSaslDetail},
    KeyRule{"quorum.auth.learner.saslLoginContext", kText, kNoEffect, kSaslDetail},
    KeyRule{"quorum.auth.learnerRequireSasl", kStrictBool, kRefusedWhenTrue, kSasl},
    KeyRule{"quorum.auth.server.saslLoginContext", kText, kNoEffect, kSaslDetail},
    KeyRule{"quorum.auth.serverRequireSasl", kStrictBool, kRefusedWhenTrue, kSasl},
    KeyRule{"quorum.cnxn.threads.size", kStrictInt, kNoEffect, kJvm},
    KeyRule{"quorumCnxnTimeoutMs", kInt, kEnsemble, ""},
    KeyRule{"quorumListenOnAllIPs", kStrictBool, kEnsemble, ""},
    KeyRule{"readonlymode.enabled", kBool, kNoEffectWhenTrue,
            "read-only mode is not in this version; the key only lets isro through a whitelist"},
    KeyRule{"reconfigEnabled", kStrictBool, kEnsemble, ""},
    KeyRule{"request_stale_connection_check", kBool, kNoEffect, kThrottle},
    KeyRule{"request_stale_latency_check", kBool, kNoEffect, kThrottle},
    KeyRule{"request_throttle_drop_stale", kBool, kNoEffect, kThrottle},
    KeyRule{"request_throttle_max_requests", kInt, kNoEffect, kThrottle},
    KeyRule{"request_throttle_stall_time", kInt, kNoEffect, kThrottle},
    KeyRule{"request_throttler.shutdownTimeout", kInt, kNoEffect, kThrottle},
    KeyRule{"requireKerberosConfig", kBool, kNoEffect, kSaslDetail},
    KeyRule{"root.logger", kText, kNoEffect, kLoggers},
    KeyRule{"sasl.serverconfig", kText, kRefused, kSasl},
    KeyRule{"secureClientPort", kStrictInt, kRefused, kTls},
    KeyRule{"secureClientPortAddress", kText, kRefused, kTls},
    KeyRule{"security.auth_to_local", kText, kNoEffect, kSaslDetail},
    KeyRule{"serializeLastProcessedZxid.enabled", kBool, kWorks, ""},
    KeyRule{"serverCnxnFactory", kText, kNoEffect,
            "there is one network layer, which serves both kinds of ports"},
    KeyRule{"sessionRequireClientSASLAuth", kBool, kRefusedWhenTrue, kSasl},
    KeyRule{"skipACL", kYesNo, kWorks, ""},
    KeyRule{"snapCount", kInt, kWorks, ""},
    KeyRule{"snapSizeLimitInKb", kLong, kWorks, ""},
    KeyRule{"snapshot.compression.method", kText, kWorks, ""},
    KeyRule{"snapshot.trust.empty", kBool, kWorks, ""},
    KeyRule{"snapshotSizeFactor", kDouble, kEnsemble, ""},
    KeyRule{"ssl.authProvider", kText, kNoEffect, "TLS is not in this version"},
    KeyRule{"sslQuorum", kStrictBool, kRefusedWhenTrue, kTls},
    KeyRule{"sslQuorumReloadCertFiles", kStrictBool, kNoEffect, "TLS is not in this version"},
    KeyRule{"standaloneEnabled", kStrictBool, kEnsemble, ""},
    KeyRule{"sun.security.jgss.native", kBool, kNoEffect, kSaslDetail},
    KeyRule{"superUser", kText, kNoEffect, kSaslDetail},
    KeyRule{"syncEnabled", kStrictBool, kEnsemble, ""},
    KeyRule{"syncLimit", kStrictInt, kEnsemble, ""},
    KeyRule{"tcpKeepAlive", kBool, kEnsemble, ""},
    KeyRule{"test.allowDiscontinuousProposals", kBool, kNoEffect, kTesting},
    KeyRule{"testingonly.initialZxid", kLong, kNoEffect, kTesting},
    KeyRule{"throttled_op_wait_time", kInt, kNoEffect, kThrottle},
    KeyRule{"tickTime", kStrictInt, kWorks, ""},
    KeyRule{"txnLogSizeLimitInKb", kLong, kWorks, ""},
    KeyRule{"version", kText, kEnsemble, ""},
    KeyRule{"watchManagerName", kText, kNoEffect, kWatchTable},
    KeyRule{"watcherCleanIntervalInSeconds", kInt, kNoEffect, kWatchTable},
    KeyRule{"watcherCleanThreadsNum", kInt, kNoEffect, kWatchTable},
    KeyRule{"watcherCleanThreshold", kInt, kNoEffect, kWatchTable},
    KeyRule{"watchkeeper.ensemble", kText, kWorks, ""},
    KeyRule{"watchkeeper.logFormat", kText, kWorks, ""},
    KeyRule{"watchkeeper.metricFamilies", kText, kWorks, ""},
    KeyRule{"watchkeeper.observe", kBool, kWorks, ""},
    KeyRule{"watchkeeper.slowRequestMs", kStrictLong, kWorks, ""},
    KeyRule{"znode.container.checkIntervalMs", kInt, kWorks, ""},
    KeyRule{"znode.container.maxNeverUsedIntervalMs", kLong, kWorks, ""},
    KeyRule{"znode.container.maxPerMinute", kInt, kWorks, ""},
};

constexpr auto kNames = [] {
  std::array<std::string_view, kTable.size()> names{};
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kTable[i].name;
  return names;
}();

struct Alias {
  std::string_view guide, real;
};
constexpr std::array kAliases{
    Alias{"connectionMaxTokens", "connection_throttle_tokens"},
    Alias{"connectionTokenFillTime", "connection_throttle_fill_time"},
    Alias{"connectionTokenFillCount", "connection_throttle_fill_count"},
    Alias{"connectionFreezeTime", "connection_throttle_freeze_time"},
    Alias{"connectionDropIncrease", "connection_throttle_drop_increase"},
    Alias{"connectionDropDecrease", "connection_throttle_drop_decrease"},
    Alias{"connectionDecreaseRatio", "connection_throttle_decrease_ratio"},
    Alias{"requestThrottleLimit", "request_throttle_max_requests"},
    Alias{"requestThrottleStallTime", "request_throttle_stall_time"},
    Alias{"requestThrottleDropStale", "request_throttle_drop_stale"},
    Alias{"requestStaleLatencyCheck", "request_stale_latency_check"},
    Alias{"requestStaleConnectionCheck", "request_stale_connection_check"},
    Alias{"throttledOpWaitTime", "throttled_op_wait_time"},
    Alias{"maxConcurrentSnapSyncs", "leader.maxConcurrentSnapSyncs"},
    Alias{"maxConcurrentDiffSyncs", "leader.maxConcurrentDiffSyncs"},
    Alias{"maxTimeToWaitForEpoch", "leader.maxTimeToWaitForEpoch"},
    Alias{"outstandingHandshake.limit", "netty.server.outstandingHandshake.limit"},
    Alias{"advancedFlowControlEnabled", "netty.advancedFlowControl.enabled"},
    Alias{"leaderCloseSocketAsync", "leader.closeSocketAsync"},
    Alias{"learnerCloseSocketAsync", "learner.closeSocketAsync"},
    Alias{"learnerAsyncSending", "learner.asyncSending"},
};

struct FamilyPrefix {
  std::string_view prefix;
  KeyFamily family;
};
constexpr std::array kFamilies{
    FamilyPrefix{"server.", KeyFamily::kServer},
    FamilyPrefix{"group", KeyFamily::kGroup},
    FamilyPrefix{"weight", KeyFamily::kWeight},
    FamilyPrefix{"authProvider.", KeyFamily::kAuthProvider},
    FamilyPrefix{"superUser.", KeyFamily::kSuperUser},
    FamilyPrefix{"metricsProvider.", KeyFamily::kMetricsProvider},
    FamilyPrefix{"ssl.quorum.", KeyFamily::kQuorumTls},
    FamilyPrefix{"ssl.", KeyFamily::kClientTls},
};

}  // namespace

std::span<const KeyRule> key_table() { return kTable; }
std::span<const std::string_view> key_names() { return kNames; }

const KeyRule* find_key(std::string_view name) {
  const auto* const found = std::ranges::lower_bound(kTable, name, {}, &KeyRule::name);
  return found != kTable.end() && found->name == name ? found : nullptr;
}

std::optional<std::string_view> real_name(std::string_view name) {
  const auto* const found = std::ranges::find(kAliases, name, &Alias::guide);
  return found == kAliases.end() ? std::nullopt : std::optional(found->real);
}

std::optional<KeyFamily> family_of(std::string_view name) {
  for (const FamilyPrefix& one : kFamilies)
    if (name.starts_with(one.prefix)) return one.family;
  return std::nullopt;
}

}  // namespace wk::config
