"""A client that shares no code with Holdfast: the stubs are made from protos/ by Debian's grpc_tools.

Usage: python_client.py PROTOS_DIR ORDERS_ADDR INVENTORY_ADDR API_KEY TENANT RUN_ID CA CERT KEY
Prints one JSON object with what it was answered.
"""
import glob
import json
import os

# Old generators make stubs that only the pure-Python runtime of newer protobuf releases reads.
os.environ["PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"] = "python"

import sys  # noqa: E402
import tempfile  # noqa: E402

import grpc  # noqa: E402
from grpc_tools import protoc  # noqa: E402

protos, orders_addr, inventory_addr, api_key, tenant, run_id, *tls = sys.argv[1:]
generated = tempfile.mkdtemp()
files = sorted(glob.glob(os.path.join(protos, "holdfast", "**", "*.proto"), recursive=True))
arguments = ["protoc", f"-I{protos}", f"--python_out={generated}", f"--grpc_python_out={generated}"]
if protoc.main(arguments + files) != 0:
    sys.exit("protoc failed")
sys.path.insert(0, generated)

from holdfast.inventory.v1 import inventory_pb2, inventory_pb2_grpc  # noqa: E402
from holdfast.orders.v1 import orders_pb2, orders_pb2_grpc  # noqa: E402

DEADLINE_S = 20


def channel(address):
    ca, cert, key = (open(path, "rb").read() for path in tls)
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(ca, key, cert))


def place_order():
    stub = orders_pb2_grpc.OrderServiceStub(channel(orders_addr))
    request = orders_pb2.PlaceOrderRequest(
        customer_id="ann",
        currency="EUR",
        items=[orders_pb2.Item(sku="apple", quantity=2)],
        payment_method="balance",
        ship_to=orders_pb2.ShipTo(name="Ann", line1="Road 1", city="Bonn", postal_code="53111", country="DE"),
        wait_ms=10000,
    )
    metadata = [("authorization", "Bearer " + api_key), ("idempotency-key", "python-order-" + run_id)]
    answers = [stub.PlaceOrder.with_call(request, metadata=metadata, timeout=DEADLINE_S) for _ in range(2)]
    (first, _), (second, call) = answers
    return {
        "id": first.order.id,
        "status": orders_pb2.OrderStatus.Name(first.order.status),
        "total": first.order.total,
        "same": first.SerializeToString() == second.SerializeToString(),
        "replayed": dict(call.trailing_metadata()).get("idempotent-replayed"),
    }


def reserve_twice():
    stub = inventory_pb2_grpc.InventoryServiceStub(channel(inventory_addr))
    order_id = "python-" + run_id
    request = inventory_pb2.ReserveInventoryRequest(
        order_id=order_id, currency="EUR", lines=[inventory_pb2.Line(sku="pear", quantity=3)]
    )
    key = order_id + ":reserve-inventory"
    metadata = [("idempotency-key", key), ("tenant-id", tenant), ("saga-epoch", "1")]
    first, _ = stub.ReserveInventory.with_call(request, metadata=metadata, timeout=DEADLINE_S)
    second, call = stub.ReserveInventory.with_call(request, metadata=metadata, timeout=DEADLINE_S)
    undo = [("idempotency-key", key + ":undo"), ("tenant-id", tenant), ("saga-epoch", "1")]
    stub.ReleaseInventory(inventory_pb2.ReleaseInventoryRequest(order_id=order_id), metadata=undo, timeout=DEADLINE_S)
    try:
        stub.ReserveInventory(request, metadata=metadata, timeout=DEADLINE_S)
        late = "OK"
    except grpc.RpcError as error:
        late = error.code().name
    return {
        "reservationId": first.reservation_id,
        "total": first.total,
        "same": first.SerializeToString() == second.SerializeToString(),
        "replayed": dict(call.trailing_metadata()).get("idempotent-replayed"),
        "late": late,
    }


print(json.dumps({"order": place_order(), "reservation": reserve_twice()}))
