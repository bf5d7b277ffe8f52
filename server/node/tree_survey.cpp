#include "server/node/tree_survey.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "jute/utf8.h"

namespace wk::node {
namespace {

/// Of longer paths the beginning is told.
constexpr std::size_t kMaxPathBytes = 512;
/// Places between two looks at how much a slice has cost.
constexpr std::size_t kPlacesAStep = 32;
/// Digits that a server appends to a sequential znode's name.
constexpr std::size_t kSequenceDigits = 10;
/// Beside its bytes, of a string in a reply.
constexpr std::size_t kLengthBytes = 4;

std::string path_of(tree::Znode node) {
  std::string path = node.path();
  path.resize(jute::cut(path, kMaxPathBytes).size());
  return path;
}

bool is_sequential_ephemeral(tree::Znode node) {
  if (node.owner_kind() != tree::OwnerKind::kSession) return false;
  const std::string_view name = node.name();
  return name.size() >= kSequenceDigits && std::ranges::all_of(name.substr(name.size() - kSequenceDigits),
                                                               [](char c) { return c >= '0' && c <= '9'; });
}

/// What `part` of `looked` makes of `all`.
std::uint64_t scaled(std::uint64_t part, std::uint64_t looked, std::uint64_t all) {
  return looked == 0
             ? 0
             : static_cast<std::uint64_t>(
                   static_cast<double>(part) / static_cast<double>(looked) * static_cast<double>(all) + 0.5);
}

}  // namespace

void TreeSurvey::begin(const Moment&) { place_ = 0; }

bool TreeSurvey::walk(const Moment&) {
  looked_ = 0;
  do {
    place_ = tree_.visit_nodes(place_, kPlacesAStep, [this](tree::Znode node) { look_at(node); });
  } while (place_ != 0 && looked_ < kPlacesASlice);
  return place_ == 0;
}

void TreeSurvey::look_at(tree::Znode node) {
  ++looked_;
  const std::uint64_t bytes = node.data().value_or(std::string_view()).size();
  if (znodes_.wants(bytes)) znodes_.add(bytes, {path_of(node), bytes});
  const std::uint64_t children = node.num_children();
  if (children == 0) return;
  const std::uint64_t below = node.num_descendants();
  if (node.parent() && subtrees_.wants(below)) subtrees_.add(below, {path_of(node), below});
  if (child_lists_.wants(children) || is_sequential_ephemeral(node.first_child()) ||
      long_replies_.wants(sampled_reply_bytes(node)))
    look_at_children(node);
}

/// Bytes of the reply that lists the children of `node`, as far as its first names tell.
std::uint64_t TreeSurvey::sampled_reply_bytes(tree::Znode node) {
  std::uint64_t looked = 0;
  std::uint64_t name_bytes = 0;
  for (tree::Znode child = node.first_child(); child && looked < kNamesSampled;
       child = child.next_sibling()) {
    ++looked;
    name_bytes += kLengthBytes + child.name().size();
  }
  looked_ += looked;
  return kLengthBytes + scaled(name_bytes, looked, node.num_children());
}

void TreeSurvey::look_at_children(tree::Znode node) {
  const tree::Znode oldest = node.first_child();
  std::uint64_t looked = 0;
  std::uint64_t contenders = 0;
  std::uint64_t name_bytes = 0;
  for (tree::Znode child = oldest; child && looked < kChildrenLooked; child = child.next_sibling()) {
    ++looked;
    name_bytes += kLengthBytes + child.name().size();
    contenders += is_sequential_ephemeral(child) ? 1 : 0;
  }
  looked_ += looked;
  const std::uint64_t children = node.num_children();
  const std::uint64_t reply_bytes = kLengthBytes + scaled(name_bytes, looked, children);
  const bool wide = child_lists_.wants(children);
  const bool long_to_list = long_replies_.wants(reply_bytes);
  if (wide || long_to_list) {
    const exporter::LargeChildList row{path_of(node), children, reply_bytes};
    if (wide) child_lists_.add(children, row);
    if (long_to_list) long_replies_.add(reply_bytes, row);
  }
  contenders = scaled(contenders, looked, children);
  if (contenders < 2 || !is_sequential_ephemeral(oldest) || !contentions_.wants(contenders)) return;
  const std::chrono::system_clock::time_point since{std::chrono::milliseconds{oldest.stat().ctime_ms}};
  contentions_.add(contenders, {path_of(node), contenders, SessionId{oldest.owner()}, since});
}

void TreeSurvey::finish() {
  found_.znodes = znodes_.take();
  found_.child_lists = child_lists_.take();
  // The most children need not have the longest names.
  const std::vector<exporter::LargeChildList> longest = long_replies_.take();
  const auto kept = std::ranges::max_element(found_.child_lists, {}, &exporter::LargeChildList::reply_bytes);
  if (!longest.empty() && kept != found_.child_lists.end() && kept->reply_bytes < longest.front().reply_bytes)
    found_.child_lists.back() = longest.front();
  found_.subtrees = subtrees_.take();
  found_.contentions = contentions_.take();
}

}  // namespace wk::node
