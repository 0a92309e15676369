// Downloads one file with the hub settings of the environment and prints its path:
//   hub_fetch REPO FILE            into the hub cache
//   hub_fetch REPO FILE FOLDER     into a plain folder

#include <cstdio>
#include <exception>
#include <optional>
#include <string>

#include "base/context.h"
#include "base/progress.h"
#include "hub/hub.h"

int main(int argc, char** argv) {
  using saescope::Hub;
  if (argc < 3) return 2;
  try {
    saescope::ConsoleProgress progress(saescope::ProgressMode::kAuto, false);
    const saescope::CancelToken cancel;
    Hub hub(saescope::HubSettings::from_environment(), {1, &progress, &cancel});
    const std::optional<std::filesystem::path> path =
        argc > 3 ? hub.local_file(argv[1], argv[2], argv[3]) : hub.cached_file(argv[1], argv[2]);
    std::puts(path ? path->c_str() : "(no such file)");
    return 0;
  } catch (const saescope::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return error.exit_code();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
