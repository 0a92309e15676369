// Tokenizers of real models, where tools/fetch_tokenizers.sh put them: how long one takes to load, and how
// fast it is on prose, on text without a space and on single words of 1 MB, which a quadratic merge would
// never finish. One thread.
#include <benchmark/benchmark.h>

#include <random>
#include <string>

#include "../tests/golden_files.h"
#include "text/tokenizer.h"

namespace saescope {
namespace {

constexpr std::size_t kBytes = 1 << 20;

std::string file_of(const std::string& name) {
  return read_file(testing_support::real_tokenizers() / name / "tokenizer.json");
}

/// The shipped prompts, over and over.
std::string prose() {
  std::string text;
  for (const auto& file : std::filesystem::directory_iterator(testing_support::source_dir() / "prompts")) {
    if (file.path().extension() == ".jsonl") text += read_file(file.path());
  }
  while (text.size() < kBytes) text += text;
  return text;
}

std::string without_spaces() {
  std::string text = prose();
  std::erase(text, ' ');
  return text;
}

std::string random_letters() {
  std::mt19937 random(1);
  std::string text(kBytes, 'a');
  for (char& c : text) c = static_cast<char>('a' + random() % 26);
  return text;
}

void load(benchmark::State& state, const std::string& name) {
  const std::string json = file_of(name);
  for (auto unused : state) {
    benchmark::DoNotOptimize(Tokenizer::from_tokenizer_json(json, name).size());
  }
}

void encode(benchmark::State& state, const std::string& name, const std::string& text) {
  // Not one and the same tokenizer, whose cache would know the text: a run sees most of its words for the
  // first time.
  const std::string json = file_of(name);
  for (auto unused : state) {
    state.PauseTiming();
    const Tokenizer tokenizer = Tokenizer::from_tokenizer_json(json, name);
    state.ResumeTiming();
    benchmark::DoNotOptimize(tokenizer.encode(text).size());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}

void register_all() {
  for (const std::string name : {"gemma3", "gemini", "gptoss", "llama2", "llama3_1", "qwen3"}) {
    if (!std::filesystem::exists(testing_support::real_tokenizers() / name)) continue;
    benchmark::RegisterBenchmark(("BM_Load/" + name).c_str(), load, name)->Unit(benchmark::kMillisecond);
    for (const auto& [what, text] :
         {std::pair{"prose", prose()}, std::pair{"without_spaces", without_spaces()},
          std::pair{"one_letter", std::string(kBytes, 'a')}, std::pair{"random_letters", random_letters()}}) {
      benchmark::RegisterBenchmark(("BM_Encode/" + name + "/" + what).c_str(), encode, name, text)
          ->Unit(benchmark::kMillisecond);
    }
  }
}

}  // namespace
}  // namespace saescope

int main(int argc, char** argv) {
  saescope::register_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
