// What a znode and a watch cost: memory for each, and time for each operation on them, in one process without
// network or disk.
//
//   tree_bench [ZNODES [DATA_BYTES]]     defaults: 1000000 100
//
// Memory is the growth of the resident set so allocator, index and all
// other overhead is in it. Prints one line a measure: name, value, unit.
// Thread: main.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "jute/views.h"
#include "jute/writer.h"
#include "server/tree/data_tree.h"
#include "server/tree/watch_table.h"

namespace wk::tree {
namespace {

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

void print(const char* name, double value, const char* unit) {
  std::printf("%-52s %10.1f %s\n", name, value, unit);
}

/// CPU time of this thread, so that a busy machine disturbs less.
std::chrono::nanoseconds cpu_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

/// Calls `work(i)` for i below `count` and prints the mean.
template <typename Work>
void time(const char* name, std::size_t count, Work&& work) {
  const auto start = cpu_time();
  for (std::size_t i = 0; i < count; ++i) work(i);
  print(name, static_cast<double>((cpu_time() - start).count()) / static_cast<double>(count), "ns each");
}

class CountingSink final : public SnapshotSink {
 public:
  void on_node(const SnapshotNode& node) override {
    bytes += node.path.size() + (node.data ? node.data->size() : 0);
  }
  std::size_t bytes = 0;
};

constexpr std::size_t kFolders = 1'000;
constexpr std::size_t kFirst = 1'000'000;  // numbers of equal length

std::string folder(std::size_t i) { return "/load/f" + std::to_string(kFolders + i % kFolders); }

/// Paths of the znodes, made on the spot: a table of them would cost more cache misses than what is measured.
class Paths {
 public:
  std::string_view operator()(std::size_t i) {
    const auto put = [&](std::size_t at, std::size_t value) {
      std::to_chars(path_.data() + at, path_.data() + path_.size(), value);
    };
    put(7, kFolders + i % kFolders);
    path_[11] = '/';
    put(17, kFirst + i);
    return path_;
  }
  static constexpr std::size_t kNameBytes = 12;

 private:
  std::string path_ = "/load/f1000/node-1000000";
};

/// A permutation of 0 … count-1 for a prime that does not divide count.
std::size_t shuffled(std::size_t i, std::size_t count) { return i * 7'368'787 % count; }

void measure_tree(std::size_t count, std::size_t data_bytes) {
  std::vector<std::byte> acl_bytes;
  jute::Writer out(acl_bytes);
  write(out, jute::AclView{jute::kPermAll, {"world", "anyone"}});
  const jute::AclListView acl(acl_bytes, 1);
  const std::string data(data_bytes, 'x');

  DataTree tree({.hash_seed = 12345});
  const auto create = [&](std::string_view path) {
    tree.create_node({.path = path, .data = data, .acl = acl, .zxid = Zxid{1}, .time_ms = 1});
  };
  create("/load");
  for (std::size_t i = 0; i < kFolders; ++i) create(folder(i));

  Paths path;
  std::size_t sum = 0;
  time("(making a path, contained in all of these)", count,
       [&](std::size_t i) { sum += path(shuffled(i, count)).size(); });

  const std::size_t before = resident_bytes();
  time("create", count, [&](std::size_t i) { create(path(i)); });
  const double grown = static_cast<double>(resident_bytes() - before);
  print("resident per znode", grown / static_cast<double>(count), "bytes");
  print("resident per znode beside name and data",
        grown / static_cast<double>(count) - static_cast<double>(Paths::kNameBytes + data_bytes), "bytes");

  time("find, stat and data, random znode", count, [&](std::size_t i) {
    const Znode node = tree.find(path(shuffled(i, count)));
    sum += static_cast<std::size_t>(node.stat().mtime_ms) + static_cast<unsigned char>(node.data()->back());
  });
  time("find, stat and data, one of 1,000 znodes", count, [&](std::size_t i) {
    const Znode node = tree.find(path(shuffled(i % 1'000, count)));
    sum += static_cast<std::size_t>(node.stat().mtime_ms) + static_cast<unsigned char>(node.data()->back());
  });
  time("find, znode that does not exist", count,
       [&](std::size_t i) { sum += tree.find(path(shuffled(i, count)).substr(1)) ? 1 : 0; });

  CountingSink sink;
  tree.begin_snapshot(sink);
  std::chrono::nanoseconds longest{0};
  std::chrono::nanoseconds all{0};
  for (bool done = false; !done;) {
    const auto start = cpu_time();
    done = tree.step_snapshot(256 * 1024);
    longest = std::max(longest, cpu_time() - start);
    all += cpu_time() - start;
  }
  print("snapshot walk", static_cast<double>(all.count()) / static_cast<double>(count), "ns each");
  print("snapshot walk, longest slice of 256 KiB", static_cast<double>(longest.count()) / 1'000, "us");

  time("set_data, random znode", count, [&](std::size_t i) {
    tree.set_data(path(shuffled(i, count)), data, static_cast<std::int32_t>(i), Zxid{i}, 1);
  });
  print("resident per znode, most of them set once",
        static_cast<double>(resident_bytes() - before) / static_cast<double>(count), "bytes");
  time("delete, random znode", count,
       [&](std::size_t i) { tree.delete_node(path(shuffled(i, count)), Zxid{i}); });
  time("create once more", count, [&](std::size_t i) { create(path(shuffled(i, count))); });
  print("resident per znode, second filling",
        static_cast<double>(resident_bytes() - before) / static_cast<double>(count), "bytes");
  if (sum == 0) std::abort();
}

void measure_wide(std::size_t count) {
  DataTree tree({.hash_seed = 12345});
  tree.create_node({.path = "/wide", .zxid = Zxid{1}});
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < count; ++i) paths.push_back("/wide/child-" + std::to_string(i));
  time("create, all under one parent", count,
       [&](std::size_t i) { tree.create_node({.path = paths[i], .data = "x", .zxid = Zxid{2}}); });
  std::size_t bytes = 0;
  const auto start = cpu_time();
  for (Znode child = tree.find("/wide").first_child(); child; child = child.next_sibling())
    bytes += child.name().size();
  print("list children", static_cast<double>((cpu_time() - start).count()) / static_cast<double>(count),
        "ns each");
  std::mt19937 random(1);
  std::shuffle(paths.begin(), paths.end(), random);
  time("delete, all under one parent", count, [&](std::size_t i) { tree.delete_node(paths[i], Zxid{3}); });
  if (bytes == 0) std::abort();
}

/// `connections` times `paths` watches, every connection on each of its paths. With `shared` they all have
/// the same ones.
void measure_watches(const char* title, std::size_t connections, std::size_t paths, bool shared) {
  Paths make;
  const auto path = [&](std::size_t connection, std::size_t i) {
    return make(i + (shared ? 0 : connection * paths));
  };
  std::printf("%s\n", title);
  const std::size_t before = resident_bytes();
  auto table = std::make_unique<WatchTable>(12345);
  const auto start = cpu_time();
  for (std::size_t c = 0; c < connections; ++c)
    for (std::size_t i = 0; i < paths; ++i) table->add(path(c, i), {c + 1}, WatchKind::kData);
  const double count = static_cast<double>(connections * paths);
  print("  add (and making the path)", static_cast<double>((cpu_time() - start).count()) / count, "ns each");
  print("  resident per watch", static_cast<double>(resident_bytes() - before) / count, "bytes");
  std::vector<ConnectionId> notified;
  const auto fire = cpu_time();
  for (std::size_t c = 0; c < (shared ? 1 : connections); ++c)
    for (std::size_t i = 0; i < paths; i += 2) table->fire_data(path(c, i), notified);
  print("  fire", static_cast<double>((cpu_time() - fire).count()) / static_cast<double>(notified.size()),
        "ns each");
  const std::size_t left = table->size();
  const auto remove = cpu_time();
  for (std::size_t c = 0; c < connections; ++c) table->remove_connection({c + 1});
  print("  remove with the connection",
        static_cast<double>((cpu_time() - remove).count()) / static_cast<double>(left), "ns each");
}

}  // namespace
}  // namespace wk::tree

namespace {

/// Runs `work` in a process of its own, so that no measure reuses memory that an earlier one has freed.
template <typename Work>
bool apart(Work&& work) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child < 0) {
    std::perror("tree_bench: fork");
    return false;
  }
  if (child == 0) {
    work();
    std::fflush(stdout);
    _exit(0);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && status == 0;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace wk::tree;
  const std::size_t znodes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1'000'000;
  const std::size_t data_bytes = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 100;
  if (znodes == 0 || data_bytes == 0) {
    std::fprintf(stderr, "usage: tree_bench [ZNODES [DATA_BYTES]], both above 0\n");
    return 2;
  }
  const bool all =
      apart([&] { measure_tree(znodes, data_bytes); }) && apart([] { measure_wide(100'000); }) && apart([] {
        measure_watches("1,000,000 watches: 1,000 connections on the same 1,000 paths", 1'000, 1'000, true);
      }) &&
      apart([] {
        measure_watches("1,000,000 watches: 100 connections on 10,000 paths of their own", 100, 10'000,
                        false);
      });
  return all ? 0 : 1;
}
