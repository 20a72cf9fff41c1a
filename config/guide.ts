/** Where a person reads more: a page of docs/, with its heading, as one that has only installed the package can open it. */
export const guideUrl = (page: string): string => `https://github.com/outpool/outpool/blob/main/docs/${page}`
