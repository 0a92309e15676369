#include "tensor/sparse_matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace saescope {
namespace {

using ::testing::ElementsAre;

constexpr std::array<MatrixEntry, 4> kEntries = {{{0, 1, 5}, {2, 0, 6}, {2, 2, 7}, {3, 1, 8}}};
constexpr SparseMatrixView kMatrix = {kEntries, 4, 3};

std::vector<float> values_of(const SparseMatrixView& sparse) {
  const Matrix<float> dense = to_dense(sparse);
  return {dense.row(0), dense.row(0) + dense.rows() * dense.cols()};
}

TEST(SparseMatrixView, StandsForItsEntriesAndZeros) {
  EXPECT_THAT(values_of(kMatrix), ElementsAre(0, 5, 0, 0, 0, 0, 6, 0, 7, 0, 8, 0));
}

TEST(SparseMatrixView, SomeOfItsRowsAreThoseOfTheWhole) {
  EXPECT_THAT(values_of(kMatrix.rows_from(2, 2)), ElementsAre(6, 0, 7, 0, 8, 0));
  EXPECT_THAT(values_of(kMatrix.rows_from(1, 1)), ElementsAre(0, 0, 0));
  EXPECT_THAT(values_of(kMatrix.rows_from(1, 3).rows_from(2, 1)), ElementsAre(0, 8, 0)) << "rows of rows";
}

}  // namespace
}  // namespace saescope
