# What scikit-build-core puts into the wheel beside the Python package: the executable, as a script, and the licences of the
# libraries that are linked statically.
set(SAESCOPE_LICENCES "" CACHE PATH "Folder of the texts of the bundled libraries' licences")
install(TARGETS run_sae_analysis DESTINATION ${SKBUILD_SCRIPTS_DIR} COMPONENT wheel)
if(SAESCOPE_LICENCES)
  install(DIRECTORY ${SAESCOPE_LICENCES}/ DESTINATION ${SKBUILD_METADATA_DIR}/licenses/bundled COMPONENT wheel)
endif()
