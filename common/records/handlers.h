// common/records/handlers.h
//
// RecordService and FactFeedService over a store: the same two services for every service with
// records.
#ifndef FADU_COMMON_RECORDS_HANDLERS_H_
#define FADU_COMMON_RECORDS_HANDLERS_H_

#include <memory>

#include "common/records/store.h"
#include "common/rpc/service.h"

namespace fadu::records {

// The handlers of fadu.common.v1.RecordService. `store` must outlive them.
std::unique_ptr<rpc::Service> MakeRecordService(Store& store);
// The handlers of fadu.common.v1.FactFeedService.
std::unique_ptr<rpc::Service> MakeFactFeedService(Store& store);

}  // namespace fadu::records

#endif  // FADU_COMMON_RECORDS_HANDLERS_H_
