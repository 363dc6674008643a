#pragma once

#include <string>
#include <vector>

namespace hikae::codec::resp {

// Appends one command as an array of bulk strings; arguments may hold any bytes.
void append_command(std::string& out, const std::vector<std::string>& arguments);

std::string encode_command(const std::vector<std::string>& arguments);

}  // namespace hikae::codec::resp
