#include "text/jinja/library/objects.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "base/error.h"
#include "text/jinja/values/iteration.h"
#include "text/jinja/values/printing.h"

namespace saescope::jinja {
namespace {

void check_attribute_name(Runtime& runtime, const Value& name) {
  if (name.is_string() && name.bytes().starts_with('_')) {
    runtime.fail("a namespace cannot store the underscore-prefixed attribute " + repr_text(name.bytes()));
  }
}

// The items of a cycler, given out one after the other.
class Cycler final : public Object {
 public:
  explicit Cycler(std::vector<Value> items) : items_(std::move(items)) {}
  std::string_view type_name() const override { return "Cycler"; }
  std::optional<Value> attribute(Runtime& runtime, std::string_view name) override {
    if (name == "current") return items_[at_];
    if (name == "next") return Value(runtime.create<Step>(*this, true));
    if (name == "reset") return Value(runtime.create<Step>(*this, false));
    return std::nullopt;
  }

 private:
  class Step final : public Object {
   public:
    Step(Cycler& cycler, bool forward) : cycler_(cycler), forward_(forward) {}
    std::string_view type_name() const override { return "method"; }
    bool callable() const override { return true; }
    Value call(Runtime&, const Arguments&) override {
      const std::size_t at = cycler_.at_;
      cycler_.at_ = forward_ ? (at + 1) % cycler_.items_.size() : 0;
      return forward_ ? cycler_.items_[at] : Value();
    }

   private:
    Cycler& cycler_;
    bool forward_;
  };

  std::vector<Value> items_;
  std::size_t at_ = 0;
};

// Nothing the first time it is called, then the separator.
class Joiner final : public Object {
 public:
  explicit Joiner(Value separator) : separator_(std::move(separator)) {}
  std::string_view type_name() const override { return "Joiner"; }
  bool callable() const override { return true; }
  Value call(Runtime& runtime, const Arguments&) override {
    return std::exchange(used_, true) ? separator_ : runtime.text({});
  }

 private:
  Value separator_;
  bool used_ = false;
};

Value make_range(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "range", arguments, {"", "", ""}, 1);
  const bool only_stop = parameters.find(1) == nullptr;
  return runtime.range(only_stop ? 0 : parameters.integer(0, 0), parameters.integer(only_stop ? 0 : 1, 0),
                       parameters.integer(2, 1));
}

Value make_dict_value(Runtime& runtime, const Arguments& arguments) {
  return runtime.dict(std::make_shared<Dict>(make_dict(runtime, arguments)));
}

Value make_namespace(Runtime& runtime, const Arguments& arguments) {
  Dict attributes = make_dict(runtime, arguments);
  for (const auto& entry : attributes.entries) check_attribute_name(runtime, entry.first);
  return Value(runtime.create<Namespace>(std::move(attributes)));
}

Value make_cycler(Runtime& runtime, const Arguments& arguments) {
  if (arguments.positional.empty() || !arguments.keywords.empty()) {
    runtime.fail("cycler() needs at least one item");
  }
  return Value(runtime.create<Cycler>(arguments.positional));
}

Value make_joiner(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "joiner", arguments, {"sep"}, 0);
  return Value(runtime.create<Joiner>(parameters.find(0) == nullptr ? runtime.text(", ") : parameters[0]));
}

Value raise_exception(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "raise_exception", arguments, {"message"}, 1);
  runtime.fail("the template refuses this conversation: " + to_text(runtime, parameters[0]));
}

Value strftime_now(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "strftime_now", arguments, {"format"}, 1);
  const std::string& format = parameters.string(0).bytes;
  runtime.spend(16 * format.size());  // a conversion such as %c takes long
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::array<char, 4096> buffer{};
  // a mark in front tells an empty result from one that does not fit
  const std::size_t length = std::strftime(buffer.data(), buffer.size(), ("|" + format).c_str(), &local);
  if (length == 0) runtime.fail("strftime_now() of more than 4096 bytes");
  return runtime.text(std::string(buffer.data() + 1, length - 1));
}

void add_pairs(Runtime& runtime, Dict& dict, const Value& pairs) {
  for (const Value& pair : iterate(runtime, pairs)) {
    const std::vector<Value> items = iterate(runtime, pair);
    if (items.size() != 2) {
      runtime.fail("dict() needs pairs, found " + std::to_string(items.size()) + " elements");
    }
    dict.set(runtime, items[0], items[1]);
  }
}

struct Global {
  std::string_view name;
  Function::Body body;
};

constexpr auto kGlobals = std::to_array<Global>({{"range", make_range},
                                                 {"dict", make_dict_value},
                                                 {"namespace", make_namespace},
                                                 {"cycler", make_cycler},
                                                 {"joiner", make_joiner},
                                                 {"raise_exception", raise_exception},
                                                 {"strftime_now", strftime_now}});

}  // namespace

std::optional<Value> Namespace::attribute(Runtime& runtime, std::string_view name) {
  const Value* found = attributes_.find(runtime, Value::constant(std::string(name)));
  return found == nullptr ? std::nullopt : std::optional<Value>(*found);
}

std::string Namespace::repr(Runtime& runtime) {
  const Value attributes = runtime.dict(std::make_shared<Dict>(attributes_));
  return "<Namespace " + jinja::repr(runtime, attributes) + ">";
}

void Namespace::set(Runtime& runtime, const std::string& name, Value value) {
  const Value key = Value::constant(name);
  check_attribute_name(runtime, key);
  attributes_.set(runtime, key, std::move(value));
}

Dict make_dict(Runtime& runtime, const Arguments& arguments) {
  if (arguments.positional.size() > 1) runtime.fail("dict() takes at most one positional argument");
  Dict dict;
  if (!arguments.positional.empty()) {
    const Value& source = arguments.positional[0];
    if (source.is_dict()) {
      for (const auto& [key, value] : source.dict().entries) dict.set(runtime, key, value);
    } else {
      add_pairs(runtime, dict, source);
    }
  }
  for (const auto& [name, value] : arguments.keywords) {
    dict.set(runtime, Value::constant(name), value);
  }
  return dict;
}

std::optional<Value> find_global(Runtime& runtime, std::string_view name) {
  const auto* found = std::find_if(kGlobals.begin(), kGlobals.end(),
                                   [name](const Global& global) { return global.name == name; });
  if (found == kGlobals.end()) {
    if (name == "lipsum") runtime.fail("the function 'lipsum' is not supported");
    return std::nullopt;
  }
  return Value(runtime.create<Function>(found->body));
}

}  // namespace saescope::jinja
