#include "server/node/tree_survey.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

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
  if (path.size() > kMaxPathBytes) path.resize(kMaxPathBytes);
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
  if (child_lists_.wants(children) || is_sequential_ephemeral(node.first_child())) look_at_children(node);
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
  if (child_lists_.wants(children))
    child_lists_.add(children,
                     {path_of(node), children, kLengthBytes + scaled(name_bytes, looked, children)});
  contenders = scaled(contenders, looked, children);
  if (contenders < 2 || !is_sequential_ephemeral(oldest) || !contentions_.wants(contenders)) return;
  const std::chrono::system_clock::time_point since{std::chrono::milliseconds{oldest.stat().ctime_ms}};
  contentions_.add(contenders, {path_of(node), contenders, SessionId{oldest.owner()}, since});
}

void TreeSurvey::finish() {
  found_.znodes = znodes_.take();
  found_.child_lists = child_lists_.take();
  found_.subtrees = subtrees_.take();
  found_.contentions = contentions_.take();
}

}  // namespace wk::node
