#include "analysis/fisher_exact.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace saescope {
namespace {

/// Tables whose probabilities differ by rounding alone count as equally probable. Rounding is below 1e-12;
/// two tables that differ in truth are hardly ever this close.
constexpr long double kTie = 1 + 1e-10L;

/// log n!. In long double, since a double's last place of log 100000! is already 1e-10.
long double log_factorial(uint64_t n) { return std::lgamma(static_cast<long double>(n) + 1); }

/// The hypergeometric distribution of the first group's active members, where all margins are fixed.
class Hypergeometric {
 public:
  explicit Hypergeometric(const TwoGroups& groups)
      : size_(groups.size),
        others_(groups.size_others),
        active_(groups.active + groups.active_others),
        low_(active_ > others_ ? active_ - others_ : 0),
        high_(std::min(active_, size_)),
        log_margins_(log_factorial(size_) + log_factorial(others_) + log_factorial(active_) +
                     log_factorial(size_ + others_ - active_) - log_factorial(size_ + others_)) {}

  uint64_t low() const { return low_; }
  uint64_t high() const { return high_; }

  uint64_t mode() const {
    const long double at = (static_cast<long double>(size_) + 1) * (static_cast<long double>(active_) + 1) /
                           (static_cast<long double>(size_ + others_) + 2);
    return std::clamp(static_cast<uint64_t>(at), low_, high_);
  }

  long double probability(uint64_t k) const {
    return std::exp(log_margins_ - log_factorial(k) - log_factorial(size_ - k) - log_factorial(active_ - k) -
                    log_factorial(others_ + k - active_));
  }

  /// Probability of k and everything below it; 0 where k is the mode or above is not asked for.
  long double lower_tail(uint64_t k) const {
    return sum(k, low_, -1, [&](uint64_t i) {
      return fraction(i, size_ - i + 1) * fraction(others_ + i - active_, active_ - i + 1);
    });
  }

  /// Probability of k and everything above it.
  long double upper_tail(uint64_t k) const {
    return sum(k, high_, 1, [&](uint64_t i) {
      return fraction(size_ - i, i + 1) * fraction(active_ - i, others_ + i + 1 - active_);
    });
  }

 private:
  static long double fraction(uint64_t a, uint64_t b) {
    return static_cast<long double>(a) / static_cast<long double>(b);
  }

  /// Terms from k to `last`, away from the mode, where each is `ratio` of the one before: they only fall.
  template <typename Ratio>
  long double sum(uint64_t k, uint64_t last, int step, const Ratio& ratio) const {
    long double term = probability(k);
    long double total = term;
    while (k != last && term > total * std::numeric_limits<long double>::epsilon()) {
      term *= ratio(k);
      total += term;
      k = step > 0 ? k + 1 : k - 1;
    }
    return total;
  }

  uint64_t size_;
  uint64_t others_;
  uint64_t active_;
  uint64_t low_;
  uint64_t high_;
  long double log_margins_;
};

/// The first k of [begin, end) for which `holds`, or `end`; it holds for all behind the first.
template <typename Predicate>
uint64_t first_that(uint64_t begin, uint64_t end, const Predicate& holds) {
  while (begin < end) {
    const uint64_t middle = begin + (end - begin) / 2;
    if (holds(middle)) {
      end = middle;
    } else {
      begin = middle + 1;
    }
  }
  return begin;
}

}  // namespace

double fisher_exact(const TwoGroups& groups) {
  const Hypergeometric tables(groups);
  const uint64_t mode = tables.mode();
  const long double limit = tables.probability(groups.active) * kTie;
  if (tables.probability(mode) <= limit) return 1.0;
  const auto at_most = [&](uint64_t k) { return tables.probability(k) <= limit; };
  long double p = 0;
  if (groups.active < mode) {
    const uint64_t above = first_that(mode, tables.high() + 1, at_most);
    p = tables.lower_tail(groups.active);
    if (above <= tables.high()) p += tables.upper_tail(above);
  } else {
    const uint64_t more_likely = first_that(tables.low(), mode, [&](uint64_t k) { return !at_most(k); });
    p = tables.upper_tail(groups.active);
    if (more_likely > tables.low()) p += tables.lower_tail(more_likely - 1);
  }
  return static_cast<double>(std::min(p, 1.0L));
}

double odds_ratio(const TwoGroups& groups) {
  const auto product = [](uint64_t a, uint64_t b) { return static_cast<double>(a) * static_cast<double>(b); };
  const double above = product(groups.active, groups.size_others - groups.active_others);
  const double below = product(groups.active_others, groups.size - groups.active);
  const uint64_t active = groups.active + groups.active_others;
  if (active == 0 || active == groups.size + groups.size_others) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return below == 0 ? std::numeric_limits<double>::infinity() : above / below;
}

}  // namespace saescope
