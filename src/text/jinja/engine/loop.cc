#include "text/jinja/engine/loop.h"

#include "text/jinja/values/comparison.h"
#include "text/jinja/values/iteration.h"
#include "text/jinja/values/printing.h"

namespace saescope::jinja {

std::optional<Value> LoopItems::next() {
  while (at_ < items_.size()) {
    Value& item = items_[at_++];
    if (keep_(item)) return std::move(item);
  }
  return std::nullopt;
}

// The methods `loop.cycle` and `loop.changed`.
class LoopObject::Helper final : public Object {
 public:
  Helper(LoopObject& loop, bool cycles) : loop_(loop), cycles_(cycles) {}
  std::string_view type_name() const override { return "method"; }
  bool callable() const override { return true; }
  Value call(Runtime& runtime, const Arguments& arguments) override {
    const std::vector<Value>& values = arguments.positional;
    if (!arguments.keywords.empty()) runtime.fail("loop helpers take no keyword arguments");
    if (!cycles_) return Value(loop_.changed(runtime, values));
    if (values.empty()) runtime.fail("no items for cycling given");
    return values[static_cast<std::size_t>(loop_.index0_) % values.size()];
  }

 private:
  LoopObject& loop_;
  bool cycles_;
};

std::optional<Value> LoopObject::advance() {
  if (!has_next()) return std::nullopt;
  ++index0_;
  previous_ = std::exchange(current_, std::move(ahead_.front()));
  ahead_.pop_front();
  return current_;
}

bool LoopObject::has_next() {
  if (!ahead_.empty()) return true;
  auto item = items_.next();
  if (item) ahead_.push_back(*std::move(item));
  return !ahead_.empty();
}

int64_t LoopObject::count() {
  while (auto item = items_.next()) ahead_.push_back(*std::move(item));
  return index0_ + 1 + static_cast<int64_t>(ahead_.size());
}

bool LoopObject::changed(Runtime& runtime, const std::vector<Value>& values) {
  Value now = runtime.tuple(values);
  if (last_changed_ && equal(runtime, *last_changed_, now)) return false;
  last_changed_ = std::move(now);
  return true;
}

Value LoopObject::call(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "loop", arguments, {"iterable"}, 1);
  if (render_ == nullptr) runtime.fail("the loop must be 'recursive' to be called");
  return render_(parameters[0]);
}

std::optional<int64_t> LoopObject::length(Runtime&) { return count(); }

std::optional<Value> LoopObject::attribute(Runtime& runtime, std::string_view name) {
  if (name == "index") return Value(index0_ + 1);
  if (name == "index0") return Value(index0_);
  if (name == "revindex") return Value(count() - index0_);
  if (name == "revindex0") return Value(count() - index0_ - 1);
  if (name == "first") return Value(index0_ == 0);
  if (name == "last") return Value(!has_next());
  if (name == "length") return Value(count());
  if (name == "depth") return Value(depth0_ + 1);
  if (name == "depth0") return Value(depth0_);
  if (name == "previtem") {
    return index0_ == 0 ? Value::undefined("there is no previous item") : previous_;
  }
  if (name == "nextitem") {
    return has_next() ? ahead_.front() : Value::undefined("there is no next item");
  }
  if (name == "cycle") return Value(runtime.create<Helper>(*this, true));
  if (name == "changed") {
    return Value(runtime.create<Helper>(*this, false));
  }
  return std::nullopt;
}

std::string LoopObject::repr(Runtime&) {
  return "<LoopContext " + std::to_string(index0_ + 1) + "/" + std::to_string(count()) + ">";
}

}  // namespace saescope::jinja
