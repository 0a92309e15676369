#pragma once

#include <cstdint>

namespace saescope {

/// Counts of two groups: a 2 × 2 table with one row for each group.
struct TwoGroups {
  uint64_t active = 0;         ///< members of the first group on which a feature is active
  uint64_t size = 0;           ///< members of the first group
  uint64_t active_others = 0;  ///< the same of the second group
  uint64_t size_others = 0;
};

/// Two-sided p-value of Fisher's exact test, as scipy.stats.fisher_exact defines it: the probability, with
/// all margins fixed, of the tables that are at most as probable as this one. Relative error below 1e-10 for
/// groups of up to a million members.
double fisher_exact(const TwoGroups& groups);

/// Odds of "active" in the first group over those in the second: infinite where only the second factor of the
/// denominator's product vanishes, NaN where all or no members of both groups are active.
double odds_ratio(const TwoGroups& groups);

}  // namespace saescope
