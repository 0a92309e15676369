# src/cli/catalogue.toml as a text of the program: ${CMAKE_BINARY_DIR}/catalogue/catalogue_text.cc, declared in
# src/cli/catalogue_text.h.
#
#   saescope_catalogue(<library target>)    makes the generated source one of the target's

function(saescope_catalogue target)
  set(catalogue ${CMAKE_SOURCE_DIR}/src/cli/catalogue.toml)
  set(source ${CMAKE_BINARY_DIR}/catalogue/catalogue_text.cc)
  file(READ ${catalogue} text)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT "#include \"cli/catalogue_text.h\"

const std::string_view saescope::kCatalogueText = R\"toml(@text@)toml\";
")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${catalogue})
  target_sources(${target} PRIVATE ${source})
endfunction()
