#pragma once

#include <type_traits>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "control/ports.h"

namespace hikae::control {

template <class F>
Awaitable<std::invoke_result_t<F>> as_coroutine(F work) {
  co_return work();
}

// Runs `work`, which may block, on the pool and comes back with its result. What it captures by
// reference has to last until then.
template <class F>
Awaitable<std::invoke_result_t<F>> offload(boost::asio::thread_pool& pool, F work) {
  auto operation = as_coroutine(std::move(work));
  co_return co_await boost::asio::co_spawn(pool, std::move(operation), boost::asio::use_awaitable);
}

}  // namespace hikae::control
