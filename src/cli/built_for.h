#pragma once

namespace saescope {

/// Instruction sets that the compiler was allowed to use anywhere in the program, beyond those that every
/// processor of the architecture has.
struct InstructionSets {
  bool avx2 = false, fma = false;  // x86-64
  bool avx512f = false, avx512bw = false, avx512dq = false, avx512vl = false;
  bool sve = false;  // Arm
};

/// Those of this build, as the compiler's options said: constant data, which can be read before anything
/// runs.
extern const InstructionSets kBuiltFor;

}  // namespace saescope
