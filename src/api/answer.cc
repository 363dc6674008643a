#include "api/answer.h"

#include <utility>

namespace hikae::api {
namespace {

std::string xml_namespace(const AnswerForm& form) {
  return std::string(form.table->xml_namespace_prefix) + form.version +
         std::string(form.table->xml_namespace_suffix);
}

bool is_ec2(const AnswerForm& form) {
  return form.table->dialect == Dialect::kEc2;
}

HttpResponse response(const AnswerForm& form, int status, std::string body) {
  std::string type = form.json ? "application/json" : "text/xml";
  if (is_ec2(form)) {
    type = "text/xml;charset=UTF-8";
  }
  HttpResponse response{.status = status, .body = std::move(body)};
  response.headers.emplace_back("Content-Type", std::move(type));
  response.headers.emplace_back("x-amzn-RequestId", form.request_id);
  return response;
}

void write_error(codec::ResponseWriter& out, const ApiFault& fault) {
  out.text("Code", fault.code);
  out.text("Message", fault.message);
}

std::string ec2_error(const AnswerForm& form, const ApiFault& fault) {
  codec::XmlWriter out;
  out.begin_structure("Response");
  out.begin_structure("Errors");
  out.begin_structure("Error");
  write_error(out, fault);
  out.end_structure();
  out.end_structure();
  out.text("RequestID", form.request_id);
  out.end_structure();
  return out.take();
}

void write_query_error(codec::ResponseWriter& out, const AnswerForm& form, const ApiFault& fault,
                       int status) {
  out.begin_structure("Error");
  out.text("Type", status < 500 ? "Sender" : "Receiver");
  write_error(out, fault);
  out.end_structure();
  out.text("RequestId", form.request_id);
}

// EC2 has its own names for what goes wrong in every action.
ApiFault in_words_of_ec2(ApiFault fault) {
  if (fault.code == "InternalFailure") {
    return ApiFault("InternalError", std::move(fault.message), 500);
  }
  if (fault.code == "ServiceUnavailable") {
    return ApiFault("Unavailable", std::move(fault.message), 503);
  }
  if (fault.code == "InvalidClientTokenId" || fault.code == "SignatureDoesNotMatch") {
    return ApiFault("AuthFailure", std::move(fault.message), 401);
  }
  return fault;
}

}  // namespace

Answer::Answer(AnswerForm form, std::string_view action) : form_(std::move(form)) {
  const std::string root = std::string(action) + "Response";
  if (form_.json) {
    json_.begin_structure(root);
    return;
  }
  xml_.begin_structure(root, xml_namespace(form_));
  if (is_ec2(form_)) {
    xml_.text("requestId", form_.request_id);
  }
}

codec::ResponseWriter& Answer::writer() {
  if (form_.json) {
    return json_;
  }
  return xml_;
}

HttpResponse Answer::finish() {
  if (!is_ec2(form_)) {
    writer().begin_structure("ResponseMetadata");
    writer().text("RequestId", form_.request_id);
    writer().end_structure();
  }
  writer().end_structure();
  return response(form_, 200, form_.json ? json_.take() : xml_.take());
}

HttpResponse fault_answer(const AnswerForm& form, const ApiFault& fault) {
  if (is_ec2(form)) {
    const ApiFault said = in_words_of_ec2(fault);
    return response(form, http_status_of(said, form.table->faults), ec2_error(form, said));
  }
  const int status = http_status_of(fault, form.table->faults);
  if (form.json) {
    codec::JsonWriter out;
    write_query_error(out, form, fault, status);
    return response(form, status, out.take());
  }
  codec::XmlWriter out;
  out.begin_structure("ErrorResponse", xml_namespace(form));
  write_query_error(out, form, fault, status);
  out.end_structure();
  return response(form, status, out.take());
}

}  // namespace hikae::api
