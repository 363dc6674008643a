# Compiler and linker settings shared by every target.
find_program(CCACHE ccache)
if(CCACHE)
  # Without the first ccache stores nothing that was compiled with a precompiled header; with the
  # other it tells these apart by versions (Precompiled.cmake), wherever they lie.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros
      CCACHE_PCH_EXTSUM=true ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers
                    -Wno-missing-designated-field-initializers -fno-omit-frame-pointer)
if(HIKAE_WERROR)
  add_compile_options(-Werror)
endif()
if(HIKAE_SANITIZE)
  add_compile_options(-fsanitize=${HIKAE_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${HIKAE_SANITIZE})
endif()
