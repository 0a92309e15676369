#pragma once

#include <vector>

#include "analysis/label_contrast.h"
#include "analysis/labels.h"
#include "cli/options.h"

namespace saescope {

/// The groups of prompts that a run compares: those of --contrast A:B, or every label against the rest. None
/// where all prompts have the same label and nothing but a report would show them.
/// @throws InputError where an A or B is no label, where a text can be cut at several colons, and where there
///         are fewer than two labels
std::vector<LabelPair> contrast_pairs(const Options& options, const Labels& labels);

}  // namespace saescope
