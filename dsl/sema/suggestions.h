#ifndef WEFT_DSL_SEMA_SUGGESTIONS_H_
#define WEFT_DSL_SEMA_SUGGESTIONS_H_

// What to write instead, where several places say the same.

namespace weft::dsl::sema {

// Where the data seems to decide a size.
inline constexpr char kSuggestPadding[] =
    "go along a size and say what stands behind the end, `y[i < N] = (x[i] if i < n else 0)`; `filter` finds "
    "a "
    "list as long as the data says";

// Where an input seems to decide the shape of a weight.
inline constexpr char kSuggestAttribute[] =
    "give the model a number for it, `model M(rows: int) { ... }`, as large as it may get";

}  // namespace weft::dsl::sema

#endif  // WEFT_DSL_SEMA_SUGGESTIONS_H_
