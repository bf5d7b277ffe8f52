// Rows that come from the dictionary of ZooKeeper's own metrics, and their samples.
//
// Thread: any; pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "exporter/catalogue/catalogue.h"
#include "exporter/catalogue/member_context.h"
#include "exporter/catalogue/sample_sink.h"

namespace wk::exporter {

/// Adds the native rows of all dictionary metrics that may have one.
void append_native_rows(std::vector<CatalogueRow>& rows);

/// The measurements among `told` (of one metric keyed by server id) whose key is a server id, ordered by it;
/// at most kLearnerLimit.
std::vector<const Measurement*> learner_keys(std::span<const Measurement> told);

/// Writes the samples of `members` for a dictionary row. Rows of the zk family with a "<sid>" in their name
/// become one family a server id; every other row becomes one family, or none when there is no sample.
void write_dictionary_row(const CatalogueRow& row, const DictionaryValue& value,
                          std::span<const MemberContext> members, SampleSink& sink);

}  // namespace wk::exporter
