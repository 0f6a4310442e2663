// common/rpc/bearer.h
//
// The user's own token in a CallContext, from rpc::Serve to rpc::Peers.
#ifndef FADU_COMMON_RPC_BEARER_H_
#define FADU_COMMON_RPC_BEARER_H_

#include <string>

namespace fadu::rpc {

// TODO: CallContext (common/base/call.h) has no field for it yet. Once it has a
// `std::string bearer`, these become plain reads and writes; until then a call for a user cannot
// be passed on, and Peers refuses it rather than call with more rights than the user has.
template <typename Context>
std::string BearerOf(const Context& context) {
  if constexpr (requires { context.bearer; }) {
    return context.bearer;
  } else {
    return std::string();
  }
}

template <typename Context>
void SetBearer(Context& context, const std::string& bearer) {
  if constexpr (requires { context.bearer; }) context.bearer = bearer;
}

}  // namespace fadu::rpc

#endif  // FADU_COMMON_RPC_BEARER_H_
