# The report page: src/output/page and the plotting library become one HTML text, ${CMAKE_BINARY_DIR}/report/report_page.html,
# and the C++ source that embeds it (report_page_data.cc, declared in src/output/page/page_template.h).
#
#   saescope_report_page(<library target>)    makes the generated source one of the target's
#
# The library (uPlot) is fetched into build/page_library/uplot when a build is configured for the first time
# (tools/fetch_page_library.sh). -DSAESCOPE_PAGE_LIBRARY=FOLDER names a folder that has it already.

set(SAESCOPE_PAGE_LIBRARY ${CMAKE_SOURCE_DIR}/build/page_library/uplot CACHE PATH "Folder of the npm package uplot")

# One shared scope: a file may use what the files before it declare.
set(SAESCOPE_PAGE_SCRIPTS
    numbers.js dom.js data.js route.js roving.js grid.js filtered_table.js exports.js charts.js scatter.js
    view_summary.js view_features.js view_overlap.js view_labels.js view_contrast.js feature_tokens.js view_feature.js
    main.js)

function(saescope_report_page target)
  execute_process(COMMAND ${CMAKE_SOURCE_DIR}/tools/fetch_page_library.sh ${SAESCOPE_PAGE_LIBRARY} RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "The report page's plotting library is missing; see the message above.")
  endif()

  set(page ${CMAKE_SOURCE_DIR}/src/output/page)
  set(library ${SAESCOPE_PAGE_LIBRARY}/dist/uPlot.iife.min.js ${SAESCOPE_PAGE_LIBRARY}/dist/uPlot.min.css
      ${SAESCOPE_PAGE_LIBRARY}/LICENSE)
  set(scripts ${SAESCOPE_PAGE_SCRIPTS})
  list(TRANSFORM scripts PREPEND ${page}/)
  file(GLOB written CONFIGURE_DEPENDS ${page}/*.js)
  foreach(file IN LISTS written)
    if(NOT file IN_LIST scripts)
      message(FATAL_ERROR "${file} is not in SAESCOPE_PAGE_SCRIPTS of cmake/report_page.cmake")
    endif()
  endforeach()

  set(output ${CMAKE_BINARY_DIR}/report)
  string(REPLACE ";" "," script_names "${SAESCOPE_PAGE_SCRIPTS}")
  add_custom_command(
    OUTPUT ${output}/report_page_data.cc ${output}/report_page.html
    COMMAND ${CMAKE_COMMAND} -DPAGE=${page} -DLIBRARY=${SAESCOPE_PAGE_LIBRARY} -DSCRIPTS=${script_names} -DOUTPUT=${output}
            -P ${CMAKE_SOURCE_DIR}/cmake/assemble_report_page.cmake
    DEPENDS ${page}/page.html ${page}/page.css ${scripts} ${library} ${CMAKE_SOURCE_DIR}/cmake/assemble_report_page.cmake
    COMMENT "Assembling the report page"
    VERBATIM)
  target_sources(${target} PRIVATE ${output}/report_page_data.cc)
endfunction()
