// The audit, in node with nothing installed: NATS is a text protocol. What is booked gets noted.
import net from "node:net";

const planted = new Set((process.env.SHOP_FAULTS ?? "").split(","));
const socket = net.connect(Number(process.argv[2]), "127.0.0.1");
let buffer = "";

function publish(subject, body) {
  socket.write(`PUB ${subject} ${Buffer.byteLength(body)}\r\n${body}\r\n`);
}

function note(body) {
  const order = JSON.parse(body);
  console.log("noted", order.order_id);
  const garbage = planted.has("audit-garbage") || planted.has("all");
  publish("audit.noted", garbage ? `{"order_id": "${order.order_id}"` : JSON.stringify({ order_id: order.order_id, what: "booked" }));
}

socket.on("data", (chunk) => {
  buffer += chunk.toString("latin1");
  for (;;) {
    const end = buffer.indexOf("\r\n");
    if (end < 0) return;
    const [word, ...rest] = buffer.slice(0, end).split(" ");
    if (word === "MSG") {
      const size = Number(rest.at(-1));
      if (buffer.length < end + 2 + size + 2) return;
      const body = buffer.slice(end + 2, end + 2 + size);
      buffer = buffer.slice(end + 2 + size + 2);
      note(body);
      continue;
    }
    buffer = buffer.slice(end + 2);
    if (word === "PING") socket.write("PONG\r\n");
    if (word === "PONG") console.log("listening");
  }
});

socket.write('CONNECT {"verbose": false}\r\nSUB shipping.booked 1\r\nPING\r\n');
