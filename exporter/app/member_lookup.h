// Which member a person or script means: "zk1:2181", "zk1", "1", or the name of a pod.
//
// Thread: any; pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "exporter/model/view.h"

namespace wk::exporter {

struct MemberReference {
  const EnsembleView* ensemble = nullptr;
  const MemberView* member = nullptr;
};

/// Looks for a member called exactly `name`; if there is none, for one on the host `name`; if there is none,
/// for the one with the server id `name`; if there is none, for what a pod of a StatefulSet calls itself:
/// `name` is the first label of a member's host ("zk-0" for zk-0.zk-headless:2181), or the host is its
/// beginning up to a dot ("zk-0.zk-headless.prod.svc.cluster.local"), with the member's port behind it or
/// none. That last way is for names alone, never for addresses. \param ensemble  only in this one; empty = in
/// all \return  Errc::kNotFound (naming the known members or ensembles) or Errc::kInvalidInput when several
/// fit
///          (naming them)
Result<MemberReference> find_member(const Snapshot& snapshot, std::string_view name,
                                    std::string_view ensemble);

/// The ensemble called `name`; Errc::kNotFound names the known ones.
Result<const EnsembleView*> find_ensemble(const Snapshot& snapshot, std::string_view name);

}  // namespace wk::exporter
