#include "tensor/tensor_view.h"

#include <gtest/gtest.h>

#include <vector>

namespace saescope {
namespace {

TEST(TensorView, ShapesAreShownAsInPython) {
  EXPECT_EQ(to_string(Shape{131072, 4096}), "[131072, 4096]");
  EXPECT_EQ(to_string(Shape{}), "[]");
}

TEST(TensorView, CountsElementsOfScalarsAndEmptyTensors) {
  EXPECT_EQ(element_count({}), 1u);
  EXPECT_EQ(element_count({2, 3, 4}), 24u);
  EXPECT_EQ(element_count({2, 0, 4}), 0u);
}

TEST(TensorView, ContiguousStridesCountFromTheInnermostAxis) {
  EXPECT_EQ(contiguous_strides({2, 3, 4}), (std::vector<uint64_t>{12, 4, 1}));
  EXPECT_EQ(contiguous_strides({7}), (std::vector<uint64_t>{1}));
  EXPECT_TRUE(contiguous_strides({}).empty());
}

TEST(TensorView, TellsRowMajorFromTransposed) {
  TensorView view{.dtype = DType::kF32, .shape = {5, 3}, .strides = {3, 1}, .data = nullptr};
  EXPECT_TRUE(view.is_contiguous());
  EXPECT_FALSE(view.is_transposed());
  view.strides = {1, 5};
  EXPECT_FALSE(view.is_contiguous());
  EXPECT_TRUE(view.is_transposed());
  view.strides = {1, 6};
  EXPECT_FALSE(view.is_transposed()) << "a slice of a transposed tensor has gaps";
}

TEST(MatrixView, RowsFollowTheStride) {
  std::vector<float> data = {0, 1, 2, 3, 4, 5, 6, 7, 8};
  const MatrixView<float> view{data.data(), 3, 2, 3};
  EXPECT_EQ(view.row(2)[1], 7.0f);
  const MatrixView<const float> rest = view.rows_from(1, 2);
  EXPECT_EQ(rest.rows, 2u);
  EXPECT_EQ(rest.row(1)[0], 6.0f);
}

}  // namespace
}  // namespace saescope
