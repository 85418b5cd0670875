import { useState } from "react";
import type { AttachmentView } from "../../../../src/contract/index.ts";
import { call } from "../../api/client.ts";
import { useTell } from "../shell/use-tell.tsx";

/** As the contract has it; its schemas are not sent to the browser. */
const MOST = 8;

/** Files for the next message: uploaded as soon as they are chosen, dropped or pasted. */
export function useAttachments() {
  const tell = useTell();
  const [items, setItems] = useState<readonly AttachmentView[]>([]);
  const [uploading, setUploading] = useState(0);
  const add = (files: Iterable<File>): void => {
    for (const file of [...files].slice(0, MOST - items.length)) {
      setUploading((count) => count + 1);
      readBase64(file)
        .then((data) => call("uploadAttachment", { body: { name: file.name || "image.png", data } }))
        .then((added) => setItems((old) => [...old, added]))
        .catch(tell.failed)
        .finally(() => setUploading((count) => count - 1));
    }
  };
  return {
    items,
    uploading: uploading > 0,
    full: items.length >= MOST,
    add,
    remove: (id: string) => setItems((old) => old.filter((one) => one.id !== id)),
    clear: () => setItems([]),
  };
}

function readBase64(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(String(reader.result).replace(/^[^,]*,/, "")));
    reader.addEventListener("error", () => reject(reader.error ?? new Error("The file cannot be read.")));
    reader.readAsDataURL(file);
  });
}
