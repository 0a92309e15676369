#include "text/chat_template.h"

#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "text/jinja/engine/interpreter.h"
#include "text/jinja/syntax/parser.h"

namespace saescope {
namespace {

jinja::Template parse(const std::string& source, const std::string& where) {
  constexpr std::size_t kMostBytes = std::size_t{2} << 20;  // a hundred times what models bring along
  if (source.size() > kMostBytes) {
    throw InputError({.what = "the chat template is too large",
                      .where = where,
                      .expected = "at most " + std::to_string(kMostBytes) + " bytes",
                      .found = std::to_string(source.size()) + " bytes",
                      .hint = {}});
  }
  if (const std::size_t at = find_invalid_utf8(source); at != std::string::npos) {
    throw InputError({.what = "the chat template is not UTF-8",
                      .where = where,
                      .expected = "valid UTF-8",
                      .found = "an invalid sequence at byte " + std::to_string(at),
                      .hint = {}});
  }
  return jinja::parse_template(source, where);
}

}  // namespace

struct ChatTemplate::Impl {
  jinja::Template parsed;
  std::string where;
};

ChatTemplate::ChatTemplate(const std::string& source, const std::string& where)
    : impl_(std::make_unique<const Impl>(Impl{parse(source, where), where})) {}

ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;

std::string ChatTemplate::render(const nlohmann::ordered_json& context) const {
  return render(context, jinja::kMaxSteps);
}

std::string ChatTemplate::render(const nlohmann::ordered_json& context, uint64_t max_steps) const {
  jinja::Runtime runtime(impl_->where, max_steps);
  return jinja::Interpreter(impl_->parsed, runtime).render(context);
}

}  // namespace saescope
