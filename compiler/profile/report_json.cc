#include <set>

#include "compiler/profile/report.h"

namespace weft::profile {
namespace {

using runtime::Json;

Json Known(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json PlaceJson(const EquationPlace& equation) { return {{"path", equation.path}, {"place", equation.place}}; }

Json EquationsJson(const Launch& launch) {
  Json list = Json::array();
  for (const KernelEquation& each : launch.equations) {
    Json equation = PlaceJson(each.equation);
    equation["fused"] = Json::array();
    for (const EquationPlace& part : each.fused) equation["fused"].push_back(PlaceJson(part));
    list.push_back(std::move(equation));
  }
  return list;
}

Json LinesJson(const Launch& launch) {
  Json lines = Json::array();
  std::set<std::string> seen{""};
  auto add = [&](const EquationPlace& equation) {
    if (seen.insert(equation.place).second) lines.push_back(equation.place);
  };
  for (const KernelEquation& each : launch.equations) {
    add(each.equation);
    for (const EquationPlace& part : each.fused) add(part);
  }
  return lines;
}

void AddTotals(const Totals& totals, const MethodTable& method, Json& json) {
  json["calls"] = Known(totals.calls);
  json["flops"] = Known(totals.flops);
  json["bytes"] = Known(totals.bytes);
  json["limit_seconds"] = Known(totals.limit);
  json["limit"] = totals.limit ? Json(totals.moving ? "moving" : "computing") : Json(nullptr);
  json["measured_seconds"] = Known(totals.measured);
  bool took = totals.measured && *totals.measured > 0;
  json["share_of_limit"] = took && totals.limit ? Json(*totals.limit / *totals.measured) : Json(nullptr);
  json["share_of_time"] = took ? Json(*totals.measured / *method.totals.measured) : Json(nullptr);
}

Json KernelJson(const KernelRow& kernel, const MethodTable& method) {
  const Launch& first = method.launches[kernel.launches.front()].launch;
  Json json = {{"name", first.name}, {"class", first.kernel_class}, {"lines", LinesJson(first)}};
  json["equations"] = EquationsJson(first);
  Json& launches = json["launches"] = Json::array();
  Json& apart = json["apart"] = Json::array();
  std::set<std::pair<std::string, std::string>> seen;
  for (size_t i : kernel.launches) {
    launches.push_back(i);
    for (const auto& [from, because] : method.launches[i].launch.apart)
      if (seen.insert({from, because}).second) apart.push_back({{"from", from}, {"because", because}});
  }
  json["parallel"] = first.parallel;
  json["tasks"] = first.tasks ? Json(*first.tasks) : Json(nullptr);
  AddTotals(kernel.totals, method, json);
  return json;
}

const char* KindName(Operand::Kind kind) {
  static const char* const names[] = {"kernel", "weight", "input", "constant"};
  return names[static_cast<int>(kind)];
}

Json LaunchJson(const LaunchTotals& launch, const MethodTable& method) {
  Json json = {{"number", launch.launch.number}, {"name", launch.launch.name}};
  Json& operands = json["operands"] = Json::array();
  for (size_t i = 0; i < launch.launch.operands.size(); ++i) {
    const Operand& operand = launch.launch.operands[i];
    operands.push_back({{"kind", KindName(operand.kind)},
                        {"name", operand.name},
                        {"from", operand.from},
                        {"bytes", Known(launch.operand_bytes[i])},
                        {"shape", operand.tensor.shape}});
  }
  AddTotals(launch.totals, method, json);
  return json;
}

Json ReachedJson(const Reached& reached) {
  Json json = {{"threads", reached.threads}, {"flops", reached.flops}};
  for (size_t level = 0; level < kMemoryNames.size(); ++level)
    json["bandwidth"][kMemoryNames[level]] = reached.bandwidth[level];
  return json;
}

Json MethodJson(const MethodTable& method) {
  Json json = {{"method", method.method}, {"sizes", method.sizes}};
  AddTotals(method.totals, method, json);
  json["run_seconds"] = Known(method.run_seconds);
  for (const char* list : {"kernels", "launches"}) json[list] = Json::array();
  for (const KernelRow& kernel : method.kernels) json["kernels"].push_back(KernelJson(kernel, method));
  for (const LaunchTotals& launch : method.launches) json["launches"].push_back(LaunchJson(launch, method));
  return json;
}

}  // namespace

Json ToJson(const KernelTable& table) {
  Json json = {{"file", table.file}, {"entry", table.entry}};
  json["limits"] = Json::array({ReachedJson(table.limits.one), ReachedJson(table.limits.all)});
  json["methods"] = Json::array();
  for (const MethodTable& method : table.methods) json["methods"].push_back(MethodJson(method));
  return json;
}

}  // namespace weft::profile
