#include "dsl/format/statement_starts.h"

namespace weft::dsl {

namespace {

class Collector {
 public:
  explicit Collector(std::set<int32_t>& starts) : starts_(starts) {}

  void Visit(const ast::Decl& decl) {
    starts_.insert(decl.span.begin);
    if (const auto* op = decl.As<ast::Op>()) Visit(op->body);
    if (const auto* test = decl.As<ast::Test>()) Visit(test->body);
    if (const auto* schedule = decl.As<ast::Schedule>()) Visit(schedule->directives);
    if (const auto* model = decl.As<ast::Model>()) {
      for (const ast::Member* member : model->members) {
        starts_.insert(member->span.begin);
        if (const auto* method = member->As<ast::Method>()) Visit(method->body);
      }
    }
  }

 private:
  void Visit(const ast::Block& block) {
    for (const ast::Stmt* statement : block.statements) {
      starts_.insert(statement->span.begin);
      if (const auto* loop = statement->As<ast::For>()) Visit(loop->body);
      if (const auto* rec = statement->As<ast::Rec>()) {
        if (const auto* body = std::get_if<ast::Rec::Loop>(&rec->form)) Visit(body->body);
      }
    }
  }
  void Visit(const std::vector<const ast::Directive*>& directives) {
    for (const ast::Directive* directive : directives) {
      starts_.insert(directive->span.begin);
      if (const auto* nested = directive->As<ast::Nested>()) Visit(nested->directives);
    }
  }

  std::set<int32_t>& starts_;
};

}  // namespace

std::set<int32_t> StatementStarts(const ast::File& file) {
  std::set<int32_t> starts;
  Collector collector(starts);
  for (const ast::Decl* decl : file.decls) collector.Visit(*decl);
  return starts;
}

}  // namespace weft::dsl
