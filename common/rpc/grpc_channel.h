// common/rpc/grpc_channel.h
//
// A Channel over a gRPC channel; for server.cc and channel.cc only.
#ifndef FADU_COMMON_RPC_GRPC_CHANNEL_H_
#define FADU_COMMON_RPC_GRPC_CHANNEL_H_

#include <memory>

#include <grpcpp/channel.h>
#include <grpcpp/support/channel_arguments.h>

#include "common/rpc/channel.h"
#include "common/rpc/gate.h"

namespace fadu::rpc {

// How every channel of ours behaves: no proxy, no service config, no retries, quick to return to a
// server that was away.
grpc::ChannelArguments ChannelArgumentsOf();

// Calls pass through `gate`, when there is one, and are UNAVAILABLE once it is closed: gRPC 1.51
// crashes on a new call over an in-process channel whose server is gone.
std::shared_ptr<Channel> NewGrpcChannel(std::shared_ptr<grpc::Channel> channel,
                                        std::shared_ptr<Gate> gate);

}  // namespace fadu::rpc

#endif  // FADU_COMMON_RPC_GRPC_CHANNEL_H_
