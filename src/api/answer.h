#pragma once

#include <string>

#include "api/action_table.h"
#include "api/fault.h"
#include "api/http_message.h"
#include "codec/xml/json_writer.h"
#include "codec/xml/xml_writer.h"

namespace hikae::api {

// What decides how an answer looks.
struct AnswerForm {
  const ServiceTable* table = nullptr;
  std::string version;  // of the namespace: what the client asked for
  std::string request_id;
  bool json = false;  // `ContentType=JSON`, query protocol only
};

// The answer of one successful action: the protocol's envelope around what an invoke function
// writes to output(). Thrown away unfinished when the action ends with a fault.
class Answer {
 public:
  Answer(AnswerForm form, std::string_view action);

  codec::ResponseWriter& output() { return writer(); }
  // Closes the envelope. Call once.
  HttpResponse finish();

 private:
  codec::ResponseWriter& writer();

  AnswerForm form_;
  codec::XmlWriter xml_;
  codec::JsonWriter json_;
};

// The error answer, in the shape of the form's protocol.
HttpResponse fault_answer(const AnswerForm& form, const ApiFault& fault);

}  // namespace hikae::api
