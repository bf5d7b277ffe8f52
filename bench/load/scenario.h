// What a crowd of sessions can be made to do, beside a plain load: one function a scenario, each of which
// replaces `document` by its result. Latencies are in microseconds, other times in seconds.
//
// Thread: one owner.
#pragma once

#include <chrono>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace wk::bench {

/// The command line of a scenario as a value; what a scenario does not mention it does not use.
struct ScenarioPlan {
  std::vector<std::string> servers{};  ///< host:port; sessions are spread over them in turn
  std::size_t sessions = 1000;
  std::chrono::milliseconds session_timeout{30'000};
  std::size_t at_once = 256;       ///< sessions that are being opened at one time
  std::string root = "/wk-crowd";  ///< where all znodes are made
  std::vector<int> server_pids{};  ///< processes whose memory and CPU time are told
  std::size_t watches = 0;         ///< that each session sets
  bool own_paths = false;  ///< every watch is on a path of its own; else all sessions watch the same paths
  std::size_t rounds = 5;
  std::chrono::milliseconds pause{1000};  ///< before each round, and of quiet before the first
  std::size_t ephemerals = 10;            ///< that each session owns
  double others_per_s = 0;                ///< requests of bystanders; 0: there are none
  std::string others_mix = "get";
  double rate_per_s = 0;  ///< lives that begin each second; 0: each begins when the one before it is over
  std::chrono::milliseconds window{2000};
  std::size_t windows = 5;
};

/// Sessions that sit and ping, and hold watches when they are asked to. Tells: how long they took to come,
/// the server's resident memory before, with the sessions and with the watches, and in windows the CPU that
/// the pings cost the server and this program.
Result<void> hold(const ScenarioPlan& plan, nlohmann::json& document);

/// All sessions watch one znode; in each round it changes once. Tells: when the notifications of a round
/// arrived, counted from the moment at which the change was sent, what that cost the server, and what
/// bystanders felt in the second that begins there, beside what they felt before the first round.
Result<void> watchers(const ScenarioPlan& plan, nlohmann::json& document);

/// In each round all connections break at once and all sessions come back. Tells: when they were back,
/// counted from the first cut; what that cost the server; how many sessions the server had forgotten. Each
/// session that is back has to read something, so that a handshake alone does not count as being there.
Result<void> comeback(const ScenarioPlan& plan, nlohmann::json& document);

/// All sessions own ephemerals and fall silent at the same moment. Tells: when their ephemerals went and what
/// bystanders felt from the last moment at which all were there until none was.
Result<void> expiry(const ScenarioPlan& plan, nlohmann::json& document);

/// Short lives, `sessions` of them at a time: a session opens, makes an ephemeral, watches it and a znode
/// that does not exist, deletes the ephemeral, hears of it, and closes; some are cut off in the middle and
/// resume, some vanish and leave the ephemeral to expiry. Tells: how many of each there were.
Result<void> churn(const ScenarioPlan& plan, nlohmann::json& document);

bool is_scenario(std::string_view word);
/// Names of the scenarios, for messages.
std::string scenario_names();

/// The program `wk_load SCENARIO …`: reads its command line, runs it, prints its JSON. \return  the exit
/// status
int run_scenario(int argc, char** argv);

}  // namespace wk::bench
