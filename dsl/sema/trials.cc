#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

Elaborator::Trial::Trial(Elaborator& elaborator)
    : elaborator_(elaborator),
      diagnostics_(elaborator.diagnostics_),
      told_(elaborator.told_),
      unknown_names_(elaborator.unknown_names_),
      work_reported_(elaborator.work_reported_),
      statements_(elaborator.statements_),
      written_(statements_ ? statements_->size() : 0),
      first_change_(elaborator.state_changes_.size()),
      captures_next_(elaborator.captures_next_) {}

void Elaborator::Trial::Forget() {
  elaborator_.diagnostics_ = std::move(diagnostics_);
  elaborator_.told_ = std::move(told_);
  elaborator_.unknown_names_ = std::move(unknown_names_);
  elaborator_.work_reported_ = work_reported_;
  if (statements_)
    statements_->erase(statements_->begin() + static_cast<ptrdiff_t>(written_), statements_->end());
  elaborator_.TakeStateChanges(first_change_);
  elaborator_.captures_next_ = captures_next_;
  if (captures_next_) elaborator_.captured_->clear();
}

}  // namespace weft::dsl::sema
