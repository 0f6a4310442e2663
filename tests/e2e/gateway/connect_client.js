// An unmodified connect-node client, over descriptors that protoc wrote. Prints one JSON object.
//
//   node connect_client.js URL TOKEN DESCRIPTOR_SET
import { readFileSync } from "node:fs";
import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { anyPack, anyUnpack, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";

const [url, token, descriptors] = process.argv.slice(2);
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));
const records = registry.getService("fadu.common.v1.RecordService");
const Dispute = registry.getMessage("fadu.mediation.v1.Dispute");
const ErrorInfo = registry.getMessage("google.rpc.ErrorInfo");

const signIn = (next) => (request) => {
  request.header.set("Authorization", `Bearer ${token}`);
  return next(request);
};

async function roundTrip(useBinaryFormat, useHttpGet) {
  const transport = createConnectTransport({
    baseUrl: url, httpVersion: "1.1", useBinaryFormat, useHttpGet, interceptors: [signIn],
    jsonOptions: { registry },
  });
  const client = createClient(records, transport);
  const dispute = create(Dispute, {
    areaCode: "421221106200", foundDate: "2024-05-01", title: "连接客户端（示例）", category: 2,
    amountE4: 9007199254740993n,
  });
  const made = await client.createRecord({
    parent: "counties/421221", requestId: crypto.randomUUID(), record: anyPack(Dispute, dispute),
  });
  const read = await client.getRecord({ name: made.name });
  const back = anyUnpack(read.record, registry);
  let failure = null;
  try {
    await client.getRecord({ name: `counties/421221/disputes/${crypto.randomUUID()}` });
  } catch (error) {
    const connectError = ConnectError.from(error);
    failure = {
      code: Code[connectError.code],
      reason: connectError.findDetails(ErrorInfo)[0]?.reason,
    };
  }
  return { title: back.title, amount: String(back.amountE4), failure };
}

const results = [];
for (const [binary, get] of [[false, false], [true, false], [false, true], [true, true]]) {
  results.push(await roundTrip(binary, get));
}
console.log(JSON.stringify(results));
