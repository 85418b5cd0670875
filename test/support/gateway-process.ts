/** A gateway in a process of its own, to be killed: `gateway-process.ts CONNECTION_URL SETTINGS_JSON`. Says where it listens. */
import { silentLog } from "../../src/base/index.ts";
import { openDatabase } from "../../src/store/index.ts";
import { startGateway } from "./gateway-under-test.ts";

const [connectionUrl = "", settings = "{}"] = process.argv.slice(2);
const database = openDatabase({ connectionUrl, maxConnections: 5, log: silentLog });
const { url, gateway } = await startGateway({ database, settings: JSON.parse(settings) as unknown });
await gateway.start();
process.send?.({ url });
