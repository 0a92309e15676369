#pragma once

#include <functional>
#include <string>

#include "base/context.h"

namespace saescope {

/// Waits for files of other machines: NFS shows a folder's new entries up to a minute late. Looks again every
/// second until `SAESCOPE_STORE_WAIT` seconds (60) have passed.
/// @param what is waited for, told once @param are_there looks again
/// @return whether they have come @throws Interrupted; InputError where the variable is no number
bool wait_for_files(const std::function<std::string()>& what, const std::function<bool()>& are_there,
                    const Context& context);

}  // namespace saescope
