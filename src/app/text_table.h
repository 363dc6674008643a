#pragma once

#include <string>
#include <vector>

namespace hikae::app {

using TableRow = std::vector<std::string>;

// Columns side by side on stdout; the first row is the head.
void print_table(const std::vector<TableRow>& rows);

}  // namespace hikae::app
