#include "dsl/module/module_loader.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "dsl/parser/parser.h"

namespace weft::dsl {

namespace fs = std::filesystem;

FileReader DiskReader() {
  return [](const std::string& path) -> std::optional<std::string> {
    std::error_code error;
    if (!fs::is_regular_file(path, error)) return std::nullopt;
    std::ifstream stream(path, std::ios::binary);
    if (!stream) return std::nullopt;
    std::ostringstream text;
    text << stream.rdbuf();
    return std::move(text).str();
  };
}

const sema::Module* ModuleLoader::Load(const std::string& path) { return LoadPath(path); }

const sema::Module* ModuleLoader::LoadPath(const std::string& path) {
  auto known = loaded_.find(path);
  if (known != loaded_.end()) return known->second.module.get();
  std::optional<std::string> text = reader_(path);
  if (!text) return nullptr;
  Loaded& loaded = loaded_[path];
  int32_t source = sources_.Add(path, std::move(*text));
  loaded.file = ParseFile(sources_, source, diagnostics_);
  loaded.module = std::make_unique<sema::Module>();
  loaded.module->name = path;
  loaded.module->file = loaded.file.get();
  open_.push_back(path);
  ReadDeclarations(loaded, path);
  open_.pop_back();
  loaded.complete = true;
  modules_.push_back(loaded.module.get());
  return loaded.module.get();
}

void ModuleLoader::ReadDeclarations(Loaded& loaded, const std::string& path) {
  sema::Module& module = *loaded.module;
  std::map<std::string, Span> first;
  auto declare = [&](const ast::Name& name) {
    auto [place, is_new] = first.try_emplace(name.text, name.span);
    if (!is_new) {
      // Imports are read last, wherever they stand.
      auto [earlier, later] =
          std::minmax(place->second, name.span, [](Span a, Span b) { return a.begin < b.begin; });
      diagnostics_.Report(later, kDuplicateName, name.text).Note(earlier, "first declared here");
    }
    return is_new;
  };
  for (const ast::Decl* decl : loaded.file->decls) {
    const ast::Name* name = ast::NameOf(*decl);
    if (name && declare(*name)) module.declarations[name->text] = decl;
  }
  for (const ast::Decl* decl : loaded.file->decls) {
    const auto* import = decl->As<ast::Import>();
    if (!import || decl->broken) continue;
    const sema::Module* source = LoadImport(*import, path);
    for (const ast::Name& name : import->names) {
      if (!declare(name)) continue;
      module.imports[name.text] = {nullptr, name.text};
      if (!source) continue;
      if (!source->declarations.contains(name.text)) {
        if (source->file->uncertain.contains(name.text)) continue;
        std::vector<std::string> candidates;
        for (const auto& [candidate, declaration] : source->declarations) candidates.push_back(candidate);
        std::string from = import->file ? *import->file : import->module.ToString();
        diagnostics_.Report(name.span, kUnknownImport, from, name.text).SuggestNearest(name.text, candidates);
        // Elsewhere in the file it is probably spelt as it should be.
        std::string nearest = NearestName(name.text, candidates);
        if (!nearest.empty()) module.imports.try_emplace(nearest, nullptr, nearest);
        continue;
      }
      module.imports[name.text] = {source, name.text};
    }
  }
}

const sema::Module* ModuleLoader::LoadImport(const ast::Import& import, const std::string& importer) {
  fs::path folder = fs::path(importer).parent_path();
  fs::path path;
  std::string written;
  if (import.file) {
    written = *import.file;
    path = folder / written;
  } else {
    written = import.module.ToString();
    fs::path relative;
    for (size_t i = 0; i < import.module.parts.size(); ++i) {
      if (i > 0 || import.module.parts[i].text != "std") relative /= import.module.parts[i].text;
    }
    bool is_std = !import.module.parts.empty() && import.module.parts[0].text == "std";
    path = (is_std ? fs::path(stdlib_) : folder) / relative;
    path += ".weft";
  }
  std::string normal = path.lexically_normal().string();
  auto open = std::find(open_.begin(), open_.end(), normal);
  if (open != open_.end()) {
    std::vector<std::string> chain(open, open_.end());
    chain.push_back(normal);
    diagnostics_.Report(import.source_span, kImportCycle, absl::StrJoin(chain, " -> "));
    return nullptr;
  }
  const sema::Module* module = LoadPath(normal);
  if (!module) {
    std::string stem = fs::path(normal).stem().string();
    std::vector<std::string> beside;
    std::error_code error;
    for (const fs::directory_entry& file : fs::directory_iterator(fs::path(normal).parent_path(), error)) {
      if (file.path().extension() == ".weft") beside.push_back(file.path().stem().string());
    }
    std::string nearest = NearestName(stem, beside);
    size_t place = written.rfind(stem);
    DiagnosticBuilder report = diagnostics_.Report(import.source_span, kUnknownModule, written,
                                                   absl::StrCat("`", normal, "` cannot be read"));
    if (!nearest.empty() && place != std::string::npos) {
      report.Suggest(absl::StrCat("did you mean `", written.replace(place, stem.size(), nearest), "`?"));
    }
  }
  return module;
}

}  // namespace weft::dsl
